"""Durable cursors of outlets: how far in the log the peer of each has everything."""

import time
from collections.abc import Callable

import sqlalchemy as sa

from service.store.engine import Store
from service.store.eventlog import head
from service.store.schema import outlet_cursors


def open_cursor(store: Store, outlet: str, begin: Callable[[sa.Connection], int] = head) -> int:
    """The number up to which the outlet's peer has everything; a new outlet begins at the log's head.

    `begin` tells the head of another log, such as the audit.
    """
    with store.write() as connection:
        known = read_cursor(connection, outlet)
        if known is not None:
            return known
        newest = begin(connection)
        set_cursor(connection, outlet, newest)
        return newest


def save_cursor(store: Store, outlet: str, sequence: int) -> None:
    """The outlet's peer has everything up to `sequence`; an outlet that was removed meanwhile stays so."""
    with store.write() as connection:
        connection.execute(
            sa.update(outlet_cursors)
            .where(outlet_cursors.c.outlet == outlet)
            .values(sequence=sequence, updated_ns=time.time_ns())
        )


def read_cursor(connection: sa.Connection, outlet: str) -> int | None:
    """The outlet's cursor; None for an outlet that never ran."""
    query = sa.select(outlet_cursors.c.sequence).where(outlet_cursors.c.outlet == outlet)
    found = connection.execute(query).scalar()
    return None if found is None else int(found)


def cursors(store: Store) -> dict[str, int]:
    """Where every outlet stands, by name."""
    with store.read() as connection:
        rows = connection.execute(sa.select(outlet_cursors.c.outlet, outlet_cursors.c.sequence))
        return {row.outlet: int(row.sequence) for row in rows}


def set_cursor(connection: sa.Connection, outlet: str, sequence: int) -> None:
    """Put the cursor there, whether the outlet is known or new."""
    drop_cursor(connection, outlet)
    row = {"outlet": outlet, "sequence": sequence, "updated_ns": time.time_ns()}
    connection.execute(sa.insert(outlet_cursors).values(row))


def drop_cursor(connection: sa.Connection, outlet: str) -> None:
    """Forget an outlet that is no more."""
    connection.execute(sa.delete(outlet_cursors).where(outlet_cursors.c.outlet == outlet))
