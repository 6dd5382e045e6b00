"""When alerts of a room, a kind and a severity were last raised: flapping tells people nothing new."""

from collections.abc import Iterable

from service.events import Severity
from service.rooms.alerting.alert import Alert


class Cooldowns:
    """Host times at which an alert of a room and kind last became so severe."""

    def __init__(self, alerts: Iterable[Alert] = ()) -> None:
        self._reached: dict[tuple[str, str, Severity], int] = {}
        for alert in alerts:
            self.note(alert)

    def note(self, alert: Alert) -> None:
        """An alert was raised, or became more severe."""
        for severity, when_ns in alert.reached.items():
            key = (alert.room, alert.kind, severity)
            self._reached[key] = max(when_ns, self._reached.get(key, 0))

    def holds_back(self, room: str, kind: str, severity: Severity, cooldown_s: float, now_ns: int) -> bool:
        """Whether another one would come too soon; a clock that was put back delays nobody."""
        last_ns = self._reached.get((room, kind, severity))
        return last_ns is not None and 0 <= now_ns - last_ns < cooldown_s * 1e9

    def forget(self, room: str) -> None:
        """The room is no more."""
        self._reached = {key: when for key, when in self._reached.items() if key[0] != room}
