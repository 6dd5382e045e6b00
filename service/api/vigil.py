"""Tells the log when the worker falls silent: who owns the states cannot say itself that it is gone.

A stream, a webhook or a syslog collector hears nothing while nobody looks at the rooms, as it does while all
is quiet in them; so it is told. Where several processes watch, one that hears the worker has the last word.
"""

import asyncio
import time
from typing import Final

import anyio.to_thread
import sqlalchemy as sa
import structlog

from service.api.stream.hub import Hub
from service.store.engine import Store
from service.store.vigil import is_noted, note_back, note_lost
from service.view.watch import Watch

LOOK_S: Final = 1.0
PATIENCE_S: Final = 30.0
"""For a worker that was never heard: one that starts with us loads its models first."""
_LOOKS: Final = 2
"""In a row without a sign of life: one alone may be ours, who were held up and have not read yet."""
_log = structlog.get_logger(__name__)


class Vigil:
    """Watches the worker of one site; belongs to the event loop's thread."""

    def __init__(self, store: Store, watch: Watch, hub: Hub, *, patience_s: float = PATIENCE_S) -> None:
        self._store, self._watch, self._hub = store, watch, hub
        self._until_s = time.monotonic() + patience_s
        self._missed = 0
        self._told_lost = False
        self._trouble = ""

    async def run(self) -> None:
        """Watch until cancelled; what cannot be written is tried again."""
        while True:
            try:
                await self.look()
                self._trouble = ""
            except sa.exc.SQLAlchemyError as error:
                self._once(type(error).__name__, "worker_state_not_written")
            except Exception as error:  # noqa: BLE001 - the task's boundary: no trouble may end the vigil in silence
                self._once(repr(error), "worker_not_watched", exc_info=True)
            await asyncio.sleep(LOOK_S)

    def _once(self, trouble: str, event: str, *, exc_info: bool = False) -> None:
        """Log this trouble unless the last look had the same."""
        if trouble != self._trouble:
            _log.warning(event, error=trouble, exc_info=exc_info)
        self._trouble = trouble

    async def look(self) -> None:
        """Write down what the log does not say yet, if anything.

        Raises:
            SQLAlchemyError: the store does not answer.
        """
        if self._watch.worker_up:
            self._missed, self._told_lost = 0, False
            written = await anyio.to_thread.run_sync(self._back)
        else:
            self._missed += 1
            if self._told_lost or self._missed < _LOOKS or not self._may_be_missed():
                return
            written = await anyio.to_thread.run_sync(self._lost)
            self._told_lost = True
        if written:
            _log.warning("worker_lost" if self._told_lost else "worker_back")
            self._hub.wake()

    def _may_be_missed(self) -> bool:
        return self._watch.age_s("worker") is not None or time.monotonic() > self._until_s

    def _back(self) -> bool:
        return is_noted(self._store) and note_back(self._store, now_ns=time.time_ns())

    def _lost(self) -> bool:
        heard = self._watch.age_s("worker") is not None
        last_ns = self._watch.worker_last_ns if heard else None
        return note_lost(self._store, last_ns=last_ns, now_ns=time.time_ns())
