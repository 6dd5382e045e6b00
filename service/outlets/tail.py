"""The newest number of the log, asked for once for all outlets."""

import asyncio
import time
from typing import Final

import sqlalchemy as sa
import structlog

from service.store.engine import Store
from service.store.eventlog import read_head

POLL_S: Final = 0.5
"""The log is looked at this often even if nobody says that it grew: signals may be lost."""
GATHER_S: Final = 0.02
_log = structlog.get_logger(__name__)


class Tail:
    """Knows how long the log is; everything but `wake` belongs to the event loop's thread."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._woken = asyncio.Event()
        self._ticked = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        self.newest = 0
        self.newest_ns = 0

    def wake(self) -> None:
        """Something was appended; from any thread."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._woken.set)

    async def tick(self, timeout_s: float) -> None:
        """Wait until the log was looked at again, at most so long."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._ticked.wait()
        except TimeoutError:
            return

    async def run(self) -> None:
        """Look at the log until cancelled; a store that does not answer is asked again."""
        while True:
            try:
                self.newest = await asyncio.to_thread(read_head, self._store)
                self.newest_ns = time.time_ns()
            except sa.exc.SQLAlchemyError as error:
                _log.warning("event_log_unreadable", reason=type(error).__name__)
            ticked, self._ticked = self._ticked, asyncio.Event()
            ticked.set()
            await self._wait()

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(POLL_S):
                await self._woken.wait()
            await asyncio.sleep(GATHER_S)  # what comes in a burst is read in one page
        except TimeoutError:
            return
        finally:
            self._woken.clear()
