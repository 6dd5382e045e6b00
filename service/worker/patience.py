"""What the worker does while its store is gone or busy: it beats, keeps what is not written, tries again."""

import time
from collections.abc import Callable
from typing import Final

import sqlalchemy as sa
import structlog

_RETRY_S: Final = 0.25
_TRIES: Final = 2
_log = structlog.get_logger(__name__)


class Patience:
    """Asked after each failure whether to try again. While the worker does not run, twice and no more.

    Args:
        beat: sends a heartbeat if one is due.
    """

    def __init__(self, beat: Callable[[], None]) -> None:
        self._beat = beat
        self._stopped: Callable[[], bool] | None = None
        self._failures = 0
        self.trouble: str | None = None

    def begin(self, stopped: Callable[[], bool]) -> None:
        """The worker runs from now on, until `stopped`."""
        self._stopped = stopped

    def wait(self, error: sa.exc.OperationalError) -> bool:
        """Whether to try again, after a short wait; said once in the log."""
        self._failures += 1
        if self._stopped is None or self._stopped():
            return self._failures <= _TRIES
        if self.trouble is None:
            self.trouble = str(error.orig).strip()
            _log.error("store_unavailable", reason=self.trouble)
        self._beat()
        time.sleep(_RETRY_S)
        return True

    def well(self) -> None:
        """The store answered."""
        self._failures = 0
        if self.trouble is not None:
            _log.info("store_back")
            self.trouble = None
