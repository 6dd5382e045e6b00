"""Alerts as people see them: lists, one alert, and the span of time that it is about."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from service.rooms.alerting.alert import AlertState
from service.rooms.memory import Memory
from service.state import rfc3339
from service.store.engine import Store
from service.store.schema import alerts, screenings, states

OPEN: Final = tuple(state.value for state in AlertState if state.is_open)


@dataclass(frozen=True, slots=True)
class AlertSpan:
    """What an alert is about, and from when to when in capture time (None: it is not about frames)."""

    alert_id: str
    room: str
    kind: str
    from_ns: int | None
    to_ns: int | None


def alert_page(
    store: Store,
    *,
    states: Collection[str] | None,
    severities: Collection[str] | None,
    rooms: Collection[str] | None,
    from_ns: int | None,
    limit: int,
    after: tuple[int, str] | None = None,
) -> tuple[list[dict[str, Any]], tuple[int, str] | None]:
    """Alerts raised since `from_ns`, and the last one's (raised_ns, alert_id) if more follow."""
    query = sa.select(alerts).order_by(alerts.c.raised_ns.desc(), alerts.c.alert_id.desc()).limit(limit + 1)
    if states is not None:
        query = query.where(alerts.c.state.in_(states))
    if severities is not None:
        query = query.where(alerts.c.severity.in_(severities))
    if rooms is not None:
        query = query.where(alerts.c.room.in_(rooms))
    if from_ns is not None:
        query = query.where(alerts.c.raised_ns >= from_ns)
    if after is not None:
        query = query.where(sa.tuple_(alerts.c.raised_ns, alerts.c.alert_id) < after)
    with store.read() as connection:
        rows = list(connection.execute(query).mappings())
    page = rows[:limit]
    last = (page[-1]["raised_ns"], page[-1]["alert_id"]) if len(rows) > limit else None
    return [alert_item(row) for row in page], last


def open_alerts(connection: sa.Connection) -> list[dict[str, Any]]:
    """Every alert that is neither cleared nor dismissed."""
    query = sa.select(alerts).where(alerts.c.state.in_(OPEN)).order_by(alerts.c.raised_ns)
    return [alert_item(row) for row in connection.execute(query).mappings()]


def get_alert(store: Store, alert_id: str) -> dict[str, Any] | None:
    """The alert of that id, as the API shows it."""
    query = sa.select(alerts).where(alerts.c.alert_id == alert_id)
    with store.read() as connection:
        row = connection.execute(query).mappings().first()
    return None if row is None else alert_item(row)


def alert_span(store: Store, alert_id: str) -> AlertSpan | None:
    """The span of an alert: the walk, where it is about one; up to the newest window while it stands."""
    walk = sa.select(screenings.c.from_ns, screenings.c.to_ns).where(screenings.c.alert_id == alert_id)
    with store.read() as connection:
        row = connection.execute(sa.select(alerts).where(alerts.c.alert_id == alert_id)).mappings().first()
        if row is None:
            return None
        from_ns, to_ns = connection.execute(walk).one_or_none() or (row["from_ns"], row["to_ns"])
        to_ns = to_ns or row["to_ns"] or _newest(connection, row["room"], row["subject"])
    return AlertSpan(alert_id, row["room"], row["kind"], from_ns, to_ns)


def alert_item(row: sa.RowMapping) -> dict[str, Any]:
    """An alert as the API shows it."""
    cleared, until = row["cleared_ns"], row["snoozed_until_ns"]
    marks = row["marks"]
    return {
        **row["doc"],
        "alert_id": row["alert_id"],
        "rule": row["rule"],
        "kind": row["kind"],
        "room": row["room"],
        "severity": row["severity"],
        "state": row["state"],
        "raised_at": rfc3339(row["raised_ns"]),
        "updated_at": rfc3339(row["updated_ns"]),
        "cleared_at": None if cleared is None else rfc3339(cleared),
        "snoozed_until": None if until is None else rfc3339(until),
        "acknowledged": marks.get("acknowledged"),
        "dismissed": marks.get("dismissed"),
    }


def _newest(connection: sa.Connection, room: str, task: str) -> int | None:
    """End of the newest window behind a state, capture time."""
    query = sa.select(states.c.memory).where((states.c.room == room) & (states.c.task == task))
    memory = connection.execute(query).scalar()
    window = Memory.from_json(memory).window if memory else None
    return None if window is None else window[1]
