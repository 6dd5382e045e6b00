"""The worker's book of alerts as the store holds it: what stood open, what waits, and every change."""

import time
from collections.abc import Mapping
from typing import Any, Final

import sqlalchemy as sa

from service.events import EventType, Severity
from service.rooms.alerting.alert import Alert, AlertChange, AlertState, Key
from service.rooms.alerting.case import Case
from service.state import rfc3339, unix_ns
from service.store.engine import Store
from service.store.schema import alert_waits, alerts
from service.store.screenings import end_walk, open_screening

LONGEST_COOLDOWN_S: Final = 86400
_DISMISSED, _CLEARED = AlertState.DISMISSED.value, AlertState.CLEARED.value
_ABOUT = ("task", "link", "source", "after")
"""Facts of an event that the alert shows too."""
Marks = dict[str, tuple[AlertState, int | None]]


def read_cases(store: Store, newest_ns: Mapping[tuple[str, str], int]) -> list[Case]:
    """Conditions that held when the worker before us stopped, with their alerts; none is known to hold now.

    Args:
        store: with alerts and waits.
        newest_ns: end of the newest window by room and task, capture time.
    """
    with store.read() as connection:
        waits = connection.execute(sa.select(alert_waits)).mappings().all()
    found = {}
    for row in waits:
        key = Key(row["rule"], row["room"], row["subject"])
        since_ns = row["since_ns"]
        at_ns = newest_ns.get((key.room, key.subject))
        begun_ns = None if at_ns is None else since_ns  # None: of a link, which is not measured in frames
        found[key] = Case(key, since_ns, max(at_ns or 0, since_ns), begun_ns)
    return list((found | {case.key: case for case in read_standing(store)}).values())


def read_standing(store: Store, *, only: str | None = None) -> list[Case]:
    """Conditions that hold and were told, whether people dismissed it or not; of one room with `only`."""
    query = sa.select(alerts).where(alerts.c.holds & (alerts.c.state != _CLEARED))
    if only is not None:
        query = query.where(alerts.c.room == only)
    with store.read() as connection:
        return [_case(row) for row in connection.execute(query).mappings()]


def read_lately(store: Store) -> list[Alert]:
    """Alerts that changed within the longest cooldown."""
    since_ns = time.time_ns() - LONGEST_COOLDOWN_S * 10**9
    with store.read() as connection:
        rows = connection.execute(sa.select(alerts).where(alerts.c.updated_ns >= since_ns)).mappings()
        return [_alert(row) for row in rows]


def read_marks(connection: sa.Connection) -> Marks:
    """What people did about alerts whose condition holds."""
    query = sa.select(alerts.c.alert_id, alerts.c.state, alerts.c.snoozed_until_ns).where(alerts.c.holds)
    return {row.alert_id: (AlertState(row.state), row.snoozed_until_ns) for row in connection.execute(query)}


def write_change(connection: sa.Connection, change: AlertChange, time_ns: int) -> bool:
    """Write what happened to an alert; whether people are told: of what they dismissed they are not."""
    alert, over = change.alert, change.kind in {None, EventType.ALERT_CLEARED}
    if change.kind is EventType.ALERT_RAISED:
        _insert(connection, change, time_ns)
        return True
    mine = alerts.c.alert_id == alert.alert_id
    if over:
        end_walk(connection, alert.alert_id, alert.to_ns)
        connection.execute(sa.update(alerts).where(mine).values(holds=False, to_ns=alert.to_ns))
    if change.kind is None:
        return False
    row: dict[str, Any] = {"severity": alert.severity.value, "updated_ns": time_ns, "doc": _document(change)}
    if over:
        row |= {"cleared_ns": time_ns}
    if change.before is None or change.before.state is not alert.state:
        row |= {"state": alert.state.value, "snoozed_until_ns": alert.snoozed_until_ns}
    told = connection.execute(sa.update(alerts).where(mine & (alerts.c.state != _DISMISSED)).values(row))
    return told.rowcount > 0


def write_waits(connection: sa.Connection, waits: Mapping[Key, int | None]) -> None:
    """Conditions that hold and whose alert waits, since when; None: no longer."""
    for key, since_ns in waits.items():
        table = alert_waits.c
        this = (table.rule == key.rule) & (table.room == key.room) & (table.subject == key.subject)
        connection.execute(sa.delete(alert_waits).where(this))
        if since_ns is not None:
            connection.execute(sa.insert(alert_waits).values(**key._asdict(), since_ns=since_ns))


def _insert(connection: sa.Connection, change: AlertChange, time_ns: int) -> None:
    alert = change.alert
    row = {
        **alert.key._asdict(),
        "alert_id": alert.alert_id,
        "kind": alert.kind,
        "severity": alert.severity.value,
        "state": alert.state.value,
        "holds": True,
        "marks": {},
        "raised_ns": alert.raised_ns,
        "updated_ns": time_ns,
        "from_ns": alert.from_ns,
        "doc": _document(change),
    }
    connection.execute(sa.insert(alerts).values(row))
    if alert.kind == "suspicious_object":
        open_screening(connection, alert, change.data, time_ns)


def _document(change: AlertChange) -> dict[str, Any]:
    about = {name: change.data[name] for name in _ABOUT if name in change.data}
    reached = {severity.value: rfc3339(when) for severity, when in change.alert.reached.items()}
    return {**about, "reached": reached}


def _case(row: sa.RowMapping) -> Case:
    alert = _alert(row)
    since_ns = alert.from_ns or alert.raised_ns
    return Case(alert.key, since_ns, since_ns, alert.from_ns, data=row["doc"], alert=alert, kind=alert.kind)


def _alert(row: sa.RowMapping) -> Alert:
    reached = {Severity(name): unix_ns(when) for name, when in row["doc"].get("reached", {}).items()}
    return Alert(
        alert_id=row["alert_id"],
        key=Key(row["rule"], row["room"], row["subject"]),
        kind=row["kind"],
        severity=Severity(row["severity"]),
        raised_ns=row["raised_ns"],
        state=AlertState(row["state"]),
        reached=reached or {Severity(row["severity"]): row["raised_ns"]},
        from_ns=row["from_ns"],
        snoozed_until_ns=row["snoozed_until_ns"],
    )
