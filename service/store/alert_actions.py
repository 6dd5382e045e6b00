"""What people do about alerts: one transaction each, with its event and its entry in the audit log."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from models.prediction import JsonValue
from service.events import EventType, Severity
from service.rooms.alerting.alert import AlertState, Cause
from service.state import rfc3339
from service.store.alerts import alert_item
from service.store.audit import record
from service.store.engine import Store
from service.store.log import append_event
from service.store.schema import alerts

_ABOUT = ("task", "link", "source")


@dataclass(frozen=True, slots=True)
class Action:
    """What somebody does.

    Attributes:
        state: of the alert afterwards.
        cause: named in the event.
        until_ns: end of a snooze, host time.
        note: kept with the alert.
    """

    state: AlertState
    cause: Cause
    until_ns: int | None = None
    note: Mapping[str, JsonValue] = field(default_factory=dict)


class AlertOverError(Exception):
    """The alert is dismissed, or cleared and can only be dismissed; the text says which."""


def act(store: Store, alert_id: str, action: Action, *, actor: str) -> dict[str, Any]:
    """Do it, and tell; doing again what was done changes nothing. The alert as the API shows it.

    Raises:
        LookupError: there is no such alert.
        AlertOverError: it is over.
    """
    mine = alerts.c.alert_id == alert_id
    with store.write() as connection:
        row = connection.execute(sa.select(alerts).where(mine).with_for_update()).mappings().one_or_none()
        if row is None:
            raise LookupError(alert_id)
        before = AlertState(row["state"])
        _check(before, action)
        if before is action.state and action.until_ns is None:
            return alert_item(row)
        connection.execute(sa.update(alerts).where(mine).values(_change(row, action, actor)))
        after = connection.execute(sa.select(alerts).where(mine)).mappings().one()
        _tell(connection, row, after, action.cause, actor)
        return alert_item(after)


def note_sample(store: Store, alert_id: str, found: Mapping[str, JsonValue]) -> dict[str, Any] | None:
    """Keep with a dismissed alert what became of its label; the alert, None if it is gone."""
    mine = alerts.c.alert_id == alert_id
    with store.write() as connection:
        row = connection.execute(sa.select(alerts).where(mine).with_for_update()).mappings().one_or_none()
        if row is None:
            return None
        marks = {**row["marks"], "dismissed": {**row["marks"].get("dismissed", {}), **found}}
        connection.execute(sa.update(alerts).where(mine).values(marks=marks))
        return alert_item(connection.execute(sa.select(alerts).where(mine)).mappings().one())


def _check(before: AlertState, action: Action) -> None:
    if before is AlertState.DISMISSED:
        raise AlertOverError("it is dismissed")
    if before is AlertState.CLEARED and action.state is not AlertState.DISMISSED:
        raise AlertOverError("it is cleared; it can only be dismissed")


def _change(row: sa.RowMapping, action: Action, actor: str) -> dict[str, Any]:
    now = time.time_ns()
    done = {action.cause.value: {"by": actor, "at": rfc3339(now), **action.note}}
    changed = {
        "state": action.state.value,
        "snoozed_until_ns": action.until_ns,
        "marks": {**row["marks"], **done},
        "updated_ns": now,
    }
    if action.state is AlertState.DISMISSED:
        changed["cleared_ns"] = row["cleared_ns"] or now
    return changed


def _tell(
    connection: sa.Connection, before: sa.RowMapping, after: sa.RowMapping, cause: Cause, actor: str
) -> None:
    """The event, and the entry in the audit log."""
    was, now = _facets(before), _facets(after)
    ends = cause is Cause.DISMISSED and AlertState(before["state"]).is_open
    data: dict[str, JsonValue] = {
        **{name: before["doc"][name] for name in _ABOUT if name in before["doc"]},
        "alert_id": before["alert_id"],
        "rule": before["rule"],
        "kind": before["kind"],
        "severity": before["severity"],
        "state": after["state"],
        "cause": cause.value,
        "actor": actor,
        "before": was,
        "after": now,
    }
    append_event(
        connection,
        EventType.ALERT_CLEARED if ends else EventType.ALERT_UPDATED,
        room=before["room"],
        data=data,
        time_ns=after["updated_ns"],
        severity=Severity(before["severity"]),
    )
    detail = {"alert_id": before["alert_id"], "rule": before["rule"], "before": was, "after": now}
    record(connection, actor=actor, action=f"alert.{cause.value}", target=before["room"], detail=detail)


def _facets(row: sa.RowMapping) -> dict[str, JsonValue]:
    until_ns = row["snoozed_until_ns"]
    return {
        "state": row["state"],
        "severity": row["severity"],
        "snoozed_until": None if until_ns is None else rfc3339(until_ns),
    }
