"""What is wrong with an outlet, said once when it begins and once when it is over."""

import structlog

from service.outlets.back_off import BackOff

_log = structlog.get_logger(__name__)


class Trouble:
    """The trouble of the outlet of this name; `reason` None: it works. `failed` counts every attempt."""

    def __init__(self, outlet: str) -> None:
        self._outlet = outlet
        self._back_off = BackOff()
        self.reason: str | None = None
        self.failed = 0

    def note(self, reason: str) -> None:
        """One more failure; logged only when it is the first of its row."""
        self.failed += 1
        if self.reason is None:
            _log.error("outlet_lost", outlet=self._outlet, reason=reason)
        self.reason = reason

    def over(self) -> None:
        """It works."""
        self._back_off.reset()
        if self.reason is not None:
            _log.info("outlet_back", outlet=self._outlet)
            self.reason = None

    def wait_s(self) -> float:
        """Seconds to wait before the next attempt."""
        return self._back_off.next_s()
