"""Erased bytes leave the files: who erases owes a scrub, which is tried again until one succeeds.

On SQLite what is erased is overwritten in the file (`secure_delete`), but stands in the write-ahead log until
that is emptied, which cannot be done while somebody reads an older moment. Other databases see to it by
themselves.
"""

import secrets
from typing import Final

import sqlalchemy as sa

from service.store.engine import Store
from service.store.schema import site

OWED: Final = "scrub.owed"
"""In the table `site`: something was erased, and may be in the write-ahead log still."""

_WITHIN_S: Final = 0.01
"""What is owed is tried again and again, beside alerts that are to be written at once."""


def owe_scrub(connection: sa.Connection) -> None:
    """Note, in the transaction that erases, that its bytes are to leave the files."""
    if connection.dialect.name == "sqlite":
        connection.execute(sa.delete(site).where(site.c.key == OWED))
        connection.execute(sa.insert(site).values(key=OWED, value=secrets.token_hex(8)))


def settle_scrub(store: Store) -> bool:
    """Scrub if that is owed; False while somebody's reading prevents it.

    Raises:
        sqlalchemy.exc.OperationalError: the store does not answer.
    """
    with store.read() as connection:
        owed = _owed(connection)
    if owed is None:
        return True
    if store.engine.dialect.name == "sqlite" and not store.scrub(_WITHIN_S):
        return False
    with store.write() as connection:
        if _owed(connection) == owed:  # else something was erased since, which is owed anew
            connection.execute(sa.delete(site).where(site.c.key == OWED))
    return True


def _owed(connection: sa.Connection) -> str | None:
    found: str | None = connection.execute(sa.select(site.c.value).where(site.c.key == OWED)).scalar()
    return found
