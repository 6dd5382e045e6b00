"""Schedules of rules, looked up once for as long as they stay as they are."""

from service.rooms.alerting.rules import AlertRule
from service.rooms.alerting.schedule import Schedule


class Clock:
    """Whether rules count at a moment of host time."""

    def __init__(self) -> None:
        self._known: dict[Schedule, tuple[bool, int, int]] = {}

    def counts(self, rule: AlertRule, now_ns: int) -> bool:
        """Whether a rule counts now."""
        if rule.schedule is None:
            return True
        return self._inside(rule.schedule, now_ns) == (rule.when == "inside")

    def _inside(self, schedule: Schedule, now_ns: int) -> bool:
        known = self._known.get(schedule)
        if known is None or not known[1] <= now_ns < known[2]:
            inside, until_ns = schedule.at(now_ns)
            known = self._known[schedule] = (inside, now_ns, until_ns)
        return known[0]

    def keep_only(self, schedules: set[Schedule]) -> None:
        """Forget other schedules."""
        self._known = {one: known for one, known in self._known.items() if one in schedules}
