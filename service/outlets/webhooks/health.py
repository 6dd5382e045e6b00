"""What a webhook's deliveries met, and the rule by which one that only fails is turned off.

The rule: off at once when the receiver answers 410 Gone; off when no delivery succeeded for 24 hours while we
tried, which is in as many hours of the clock after the one in which they began to fail; off when deliveries
failed in every hour for more than a day, and more than 99 % of all did. An outage of less than a day turns
nothing off; time in which the service was off, or by which its clock jumped, counts for nothing.
"""

from dataclasses import asdict, dataclass, field
from http import HTTPStatus
from typing import Any, Final

from service.outlets.webhooks.client import Answer

DAY_H: Final = 24
KEPT_H: Final = 26
"""Hours that are counted: failures in every one of them cover more than a day, wherever it began."""
FAILED_SHARE: Final = 0.99
_HOUR_NS: Final = 3600 * 10**9


@dataclass(slots=True)
class Health:
    """Times are Unix nanoseconds, hours are numbered since 1970.

    Attributes:
        hours: successes and failures in each of the last ones.
        failed_hours: those with failures since `failing_since_ns`, however long ago: a service may be off
            for some hours of every night.
    """

    failing_since_ns: int | None = None
    last_success_ns: int | None = None
    last_failure_ns: int | None = None
    last_status: int | None = None
    last_trouble: str | None = None
    hours: dict[str, list[int]] = field(default_factory=dict)
    failed_hours: list[int] = field(default_factory=list)

    @classmethod
    def read(cls, document: dict[str, Any]) -> "Health":
        """What `document` gave; of what was stored without `failed_hours`, those that are counted still."""
        health = cls(**document)
        if "failed_hours" not in document and health.failing_since_ns is not None:
            first = health.failing_since_ns // _HOUR_NS
            failed = [int(key) for key, counts in health.hours.items() if counts[1]]
            health.failed_hours = [hour for hour in failed if hour >= first]
        return health

    def document(self) -> dict[str, Any]:
        """As the store holds it."""
        return asdict(self)

    def note(self, answer: Answer, now_ns: int) -> str | None:
        """Take in what a delivery met; why the webhook must be turned off, None if it need not."""
        hour = now_ns // _HOUR_NS
        self.hours = {key: counts for key, counts in self.hours.items() if 0 <= hour - int(key) < KEPT_H}
        counts = self.hours.setdefault(str(hour), [0, 0])
        self.last_status = answer.status
        if answer.delivered:
            counts[0] += 1
            self.last_success_ns, self.failing_since_ns, self.failed_hours = now_ns, None, []
        else:
            counts[1] += 1
            self.last_failure_ns, self.last_trouble = now_ns, answer.trouble
            self._note_failing(now_ns)
        return self._verdict(answer, now_ns)

    def _note_failing(self, now_ns: int) -> None:
        if self.failing_since_ns is None or self.failing_since_ns > now_ns:
            self.failing_since_ns, self.failed_hours = now_ns, []
        if (hour := now_ns // _HOUR_NS) not in self.failed_hours:
            self.failed_hours.append(hour)

    def _verdict(self, answer: Answer, now_ns: int) -> str | None:
        if answer.delivered:
            return None
        if answer.status == HTTPStatus.GONE:
            return "the receiver answered 410 Gone"
        return self._never_succeeded(answer, now_ns) or self._hardly_succeeded(answer)

    def _never_succeeded(self, answer: Answer, now_ns: int) -> str | None:
        since_ns = now_ns if self.failing_since_ns is None else self.failing_since_ns
        if now_ns - since_ns < DAY_H * _HOUR_NS or len(self.failed_hours) <= DAY_H:
            return None
        return f"no delivery succeeded for {DAY_H} hours; last: {answer.trouble}"

    def _hardly_succeeded(self, answer: Answer) -> str | None:
        good = sum(counts[0] for counts in self.hours.values())
        bad = sum(counts[1] for counts in self.hours.values())
        failed_h = sum(counts[1] > 0 for counts in self.hours.values())
        if failed_h < KEPT_H or bad <= FAILED_SHARE * (good + bad):
            return None
        return f"{bad} of {good + bad} attempts within {KEPT_H} hours failed; last: {answer.trouble}"
