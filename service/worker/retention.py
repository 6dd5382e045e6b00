"""The worker's broom: a thread that lets what is too old go, off the hot path and slowly.

It also settles what is owed of scrubs: where somebody read while a room or a sample was erased, its bytes
leave the write-ahead log a little later.
"""

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Final, Self

import sqlalchemy as sa
import structlog

from service.store.engine import Store
from service.store.retention import forget_old
from service.store.scrubbing import settle_scrub
from service.store.settings import RetentionSettings

_log = structlog.get_logger(__name__)
PAUSE_S: Final = 0.05
"""Between two transactions: writers that wait come first."""
SCRUB_EVERY_S: Final = 10.0
"""How often is looked whether a scrub is owed."""


class Broom:
    """Sweeps once after the start and then every `settings.every_minutes`, until closed.

    Args:
        store: what is swept.
        settings: how long things are kept.
        scrub_every_s: how often is looked whether a scrub is owed.
    """

    def __init__(
        self, store: Store, settings: RetentionSettings, scrub_every_s: float = SCRUB_EVERY_S
    ) -> None:
        self._store, self._settings, self._scrub_every_s = store, settings, scrub_every_s
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="retention", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        sweep_every_s = self._settings.every_minutes * 60
        due_s = time.monotonic()
        while not self._over.is_set():
            if time.monotonic() >= due_s:
                self._try("retention_delayed", self._sweep)
                due_s = time.monotonic() + sweep_every_s
            self._try("scrub_delayed", lambda: settle_scrub(self._store))
            self._over.wait(min(self._scrub_every_s, sweep_every_s))

    def _try(self, trouble: str, work: Callable[[], object]) -> None:
        try:
            work()
        except sa.exc.OperationalError as error:
            _log.warning(trouble, reason=str(error.orig).strip())

    def _sweep(self) -> None:
        began, gone = time.monotonic(), 0
        for count in forget_old(self._store, self._settings):
            gone += count
            if self._over.wait(PAUSE_S):
                return
        if gone:
            _log.info("retention_done", rows=gone, seconds=round(time.monotonic() - began, 1))
