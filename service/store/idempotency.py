"""What a caller's `Idempotency-Key` has made already: a request sent twice is done once."""

import time
from dataclasses import dataclass

import sqlalchemy as sa

from service.store.schema import idempotency

KEPT_S = 24 * 3600
"""How long a key is remembered."""


@dataclass(slots=True)
class Once:
    """A key of a caller, and the digest of what was asked under it."""

    actor: str
    key: str
    digest: str
    again: bool = False
    """Whether `made_before` found that it has made something."""


class KeyReusedError(Exception):
    """The key was used for another request."""


def made_before(connection: sa.Connection, once: Once) -> str | None:
    """Id of what this key made.

    Raises:
        KeyReusedError: of another request.
    """
    row = connection.execute(sa.select(idempotency).where(_is(once))).one_or_none()
    if row is None:
        return None
    if row.digest != once.digest:
        raise KeyReusedError(once.key)
    once.again = True
    return str(row.made)


def remember(connection: sa.Connection, once: Once, room: str, made: str) -> None:
    """The key made this; keys that are too old are forgotten."""
    now = time.time_ns()
    connection.execute(sa.delete(idempotency).where(idempotency.c.created_ns < now - KEPT_S * 10**9))
    row = {"actor": once.actor, "key": once.key, "digest": once.digest, "room": room, "made": made}
    connection.execute(sa.insert(idempotency).values(**row, created_ns=now))


def forget(connection: sa.Connection, made: str) -> None:
    """What was made came to nothing: the same request may be tried again."""
    connection.execute(sa.delete(idempotency).where(idempotency.c.made == made))


def _is(once: Once) -> sa.ColumnElement[bool]:
    return (idempotency.c.actor == once.actor) & (idempotency.c.key == once.key)
