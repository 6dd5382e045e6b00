"""The worker's broom: a thread that lets what is too old go, off the hot path and slowly."""

import threading
import time
from types import TracebackType
from typing import Final, Self

import sqlalchemy as sa
import structlog

from service.store.engine import Store
from service.store.retention import forget_old
from service.store.settings import RetentionSettings

_log = structlog.get_logger(__name__)
PAUSE_S: Final = 0.05
"""Between two transactions: writers that wait come first."""


class Broom:
    """Sweeps once after the start and then every `settings.every_minutes`, until closed."""

    def __init__(self, store: Store, settings: RetentionSettings) -> None:
        self._store, self._settings = store, settings
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
        while not self._over.is_set():
            try:
                self._sweep()
            except sa.exc.OperationalError as error:
                _log.warning("retention_delayed", reason=str(error.orig).strip())
            self._over.wait(self._settings.every_minutes * 60)

    def _sweep(self) -> None:
        began, gone = time.monotonic(), 0
        for count in forget_old(self._store, self._settings):
            gone += count
            if self._over.wait(PAUSE_S):
                return
        if gone:
            _log.info("retention_done", rows=gone, seconds=round(time.monotonic() - began, 1))
