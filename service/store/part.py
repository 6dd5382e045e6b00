"""One process a part over all machines of a site: a lock in the shared database.

A SQLite store is on one machine, where `service.lock` is enough.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import sqlalchemy as sa

from service.errors import ServiceError
from service.store.engine import Store
from service.store.postgresql import take_part

_LOOK_S: Final = 5.0


@contextmanager
def only_part(store: Store, part: str) -> Iterator[Callable[[], None]]:
    """Be the only process of this part; yields a function to be called now and then, which keeps it so.

    The lock goes with its connection: after a break it is taken again, which raises if somebody else has it.

    Raises:
        ServiceError: another process of that part runs, on whatever machine.
    """
    if store.engine.dialect.name != "postgresql":
        yield lambda: None
        return
    lock = _Lock(store, part)
    lock.take()
    try:
        yield lock.keep
    finally:
        lock.release()


class _Lock:
    def __init__(self, store: Store, part: str) -> None:
        self._engine = store.engine.execution_options(isolation_level="AUTOCOMMIT")
        self._part = part
        self._connection: sa.Connection | None = None
        self._next_look = 0.0

    def take(self) -> None:
        connection = self._engine.connect()
        connection.detach()  # closing ends the session, and with it the lock
        if not take_part(connection, self._part):
            connection.close()
            raise ServiceError(
                f"the part '{self._part}' of this site runs already, on this or another machine that shares "
                "its store; stop it first (one whose machine died is forgotten within a minute)"
            )
        self._connection = connection

    def keep(self) -> None:
        """Look whether the lock still stands, at most once in some seconds."""
        if time.monotonic() < self._next_look:
            return
        self._next_look = time.monotonic() + _LOOK_S
        try:
            if self._connection is None:
                self.take()
            else:
                self._connection.execute(sa.select(1))
        except sa.exc.OperationalError:
            self.release()

    def release(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None
