"""Tells the log when the worker falls silent: who owns the states cannot say itself that it is gone.

A stream, a webhook or a syslog collector hears nothing while nobody looks at the rooms, as it does while all
is quiet in them; so it is told.
"""

import asyncio
import time
from typing import Final

import anyio.to_thread
import sqlalchemy as sa
import structlog

from service.api.stream.hub import Hub
from service.store.engine import Store
from service.store.vigil import note_worker
from service.view.watch import Watch

LOOK_S: Final = 1.0
PATIENCE_S: Final = 30.0
"""For a worker that was never heard: one that starts with us loads its models first."""
_log = structlog.get_logger(__name__)


class Vigil:
    """Watches the worker of one site; belongs to the event loop's thread."""

    def __init__(self, store: Store, watch: Watch, hub: Hub, *, patience_s: float = PATIENCE_S) -> None:
        self._store, self._watch, self._hub = store, watch, hub
        self._until_s = time.monotonic() + patience_s
        self._told: bool | None = None
        self._in_trouble = False

    async def run(self) -> None:
        """Watch until cancelled; what cannot be written is tried again."""
        while True:
            await self.look()
            await asyncio.sleep(LOOK_S)

    async def look(self) -> None:
        """Write down what changed since the last look, if anything did."""
        up = self._watch.worker_up
        if up is self._told or not (up or self._may_be_missed()):
            return
        try:
            written = await anyio.to_thread.run_sync(self._note, up)
        except sa.exc.SQLAlchemyError as error:
            if not self._in_trouble:
                _log.warning("worker_state_not_written", error=type(error).__name__)
            self._in_trouble = True
            return
        self._told, self._in_trouble = up, False
        if written:
            _log.warning("worker_back" if up else "worker_lost")
            self._hub.wake()

    def _may_be_missed(self) -> bool:
        return self._watch.age_s("worker") is not None or time.monotonic() > self._until_s

    def _note(self, up: bool) -> bool:
        return note_worker(self._store, up=up, last_ns=self._watch.worker_last_ns, now_ns=time.time_ns())
