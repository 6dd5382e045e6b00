"""The library's log, sparingly: each packet of rubbish would be a line, and anybody can send some."""

import logging
import time
from typing import Final

import structlog

EVERY_S: Final = 60.0
_LIBRARY: Final = "bacpypes3"
_log = structlog.get_logger(__name__)


class Sparing(logging.Handler):
    """Passes on one line a minute, and how many were left out before it."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self._told_s = -EVERY_S
        self._left_out = 0

    def emit(self, record: logging.LogRecord) -> None:
        """One record of the library."""
        now = time.monotonic()
        if now - self._told_s < EVERY_S:
            self._left_out += 1
            return
        left_out, self._told_s, self._left_out = self._left_out, now, 0
        _log.warning("bacnet_trouble", reason=record.getMessage()[:300], left_out=left_out)


def quieten() -> None:
    """Make the library's log sparing; again does nothing."""
    library = logging.getLogger(_LIBRARY)
    library.propagate = False
    if not any(isinstance(handler, Sparing) for handler in library.handlers):
        library.addHandler(Sparing())
