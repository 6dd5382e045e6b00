"""When a request is sent again, and after how long. Neither sync nor async."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from roomtone_client.calls import Call
from roomtone_client.errors import ApiError

_PASSING = frozenset({429, 502, 503, 504})
_IN_FLIGHT = "request-in-flight"


@dataclass(frozen=True, slots=True)
class Retry:
    """How patient the client is.

    All requests may be repeated: POSTs carry an `Idempotency-Key`, so that the service does them once.

    Attributes:
        attempts: how often a request is sent at most.
        first_s: the first pause; each further one is twice as long, with chance in it.
        longest_s: the longest pause. A service that asks for more (`Retry-After`) is not waited for: the
            error says how long.
    """

    attempts: int = 5
    first_s: float = 0.2
    longest_s: float = 20.0

    def pause(self, tried: int) -> float:
        """Seconds before the next attempt, after so many."""
        longest = min(self.longest_s, self.first_s * 2 ** (tried - 1))
        return float(longest * random.uniform(0.5, 1))  # noqa: S311 - apart in time, nothing secret

    def after_silence(self, call: Call[object], tried: int) -> float | None:
        """The answer did not come: seconds to wait; None: give up."""
        return self.pause(tried) if call.repeatable and tried < self.attempts else None

    def after_refusal(self, error: ApiError, tried: int) -> float | None:
        """The service refused: seconds to wait; None: it means it."""
        if error.status not in _PASSING and error.kind != _IN_FLIGHT:
            return None
        asked = error.retry_after_s or 0.0
        if tried >= self.attempts or asked > self.longest_s:
            return None
        return max(asked, self.pause(tried))


def retry_after_s(header: str | None, now: datetime | None = None) -> float | None:
    """Seconds of a `Retry-After` header, which holds seconds or a date (RFC 9110, 10.2.3)."""
    if header is None:
        return None
    try:
        return max(0.0, float(header))
    except ValueError:
        pass
    try:
        until = parsedate_to_datetime(header)
    except ValueError:
        return None
    return max(0.0, (until - (now or datetime.now(UTC))).total_seconds())
