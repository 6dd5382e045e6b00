"""The worker's transactions are numbered: each is done once, by one worker, whatever happens to the database.

A connection that breaks while it commits does not say whether it did. And a worker whose lock on the site was
lost with its connection must not write beside the one that took over.
"""

from collections.abc import Callable
from typing import Final

import sqlalchemy as sa

from service.errors import ServiceError
from service.store.schema import site

_KEY: Final = "worker.turn"


class SupersededError(ServiceError):
    """Another worker took the site over."""


class Turns:
    """Which transaction of this worker was the last one.

    Args:
        worker: name of this worker's life; no other one has it.
    """

    def __init__(self, worker: str) -> None:
        self._worker = worker
        self._number = 0
        self._claimed = False

    def begin(self) -> None:
        """What is written next is new, and may be tried several times."""
        self._number += 1

    def once(self, connection: sa.Connection, write: Callable[[sa.Connection], int]) -> int:
        """What `write` returns, in the caller's write transaction; it is not called if that is done already.

        Raises:
            SupersededError: another worker writes here now.
        """
        known = connection.execute(sa.select(site.c.value).where(site.c.key == _KEY)).scalar() or {}
        mine = known.get("worker") == self._worker
        if self._claimed and not mine:
            raise SupersededError("another worker has taken this site over; this one ends")
        if mine and known["number"] == self._number:
            self._claimed = True
            return int(known["last"])
        last = write(connection)
        value = {"worker": self._worker, "number": self._number, "last": last}
        if not known:
            connection.execute(sa.insert(site).values(key=_KEY, value=value))
        else:
            connection.execute(sa.update(site).where(site.c.key == _KEY).values(value=value))
        return last

    def done(self) -> None:
        """The transaction was committed: from now on the site is ours."""
        self._claimed = True
