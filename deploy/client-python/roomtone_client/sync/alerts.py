"""Alerts, for threads."""

from collections.abc import Sequence

from roomtone_client import api
from roomtone_client.api import Names
from roomtone_client.calls import Moment
from roomtone_client.documents import Alert, Dismissal, Page, Severity
from roomtone_client.sync.base import Caller


class AlertCalls(Caller):
    """Alerts."""

    def alerts(
        self,
        *,
        state: str | None = None,
        severity: Sequence[Severity] | None = None,
        rooms: Names | None = None,
        start: Moment | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> Page[Alert]:
        """Alerts, newest first."""
        query = {"state": state, "severity": severity, "rooms": rooms, "limit": limit, "cursor": cursor}
        return self._do(api.alerts(**query, **{"from": start}))

    def alert(self, alert: str) -> Alert:
        """One alert."""
        return self._do(api.alert(alert))

    def acknowledge(self, alert: str) -> Alert:
        """Somebody is on it."""
        return self._do(api.acknowledge(alert))

    def snooze(self, alert: str, *, for_s: float | None = None, until: Moment | None = None) -> Alert:
        """Be quiet about it for so long, or until then."""
        return self._do(api.snooze(alert, for_s, until))

    def dismiss(self, alert: str, *, false_alarm: bool = False, count: int | None = None) -> Dismissal:
        """End it; of a false alarm the room learns, for a wrong count with the true `count`."""
        return self._do(api.dismiss(alert, false_alarm, count))
