"""Alerts, and what people do about them."""

import time
from enum import StrEnum
from functools import partial
from typing import Annotated, Any

import anyio.to_thread
from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from service.api.alert_samples import Labelled, label_span
from service.api.answers import Cursor, Limit, answer, misfit, name_list, page, time_ns, unfit
from service.api.auth import Caller, Ctx, guarded
from service.api.context import Context
from service.api.cursor import pack_cursor, unpack_cursor
from service.api.documents.alerts import Alert, AlertPage, Dismissal, DismissBody, SnoozeBody
from service.api.problems import Problem
from service.api.routes.events import Names, room_scope
from service.events import Severity
from service.rooms.alerting.alert import AlertState, Cause
from service.state import unix_ns
from service.store import alerts as held
from service.store.alert_actions import Action, AlertOverError, act, note_sample
from service.store.keys import Principal, Role
from service.store.samples import FALSE_ALARM, Asked

router = APIRouter(tags=["alerts"])
AlertId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
States = Annotated[str | None, Query(max_length=200, description=f"With commas: {', '.join(AlertState)}.")]
Severities = Annotated[str | None, Query(max_length=200, description=f"With commas: {', '.join(Severity)}.")]
LONGEST_SNOOZE_S = 30 * 86400
_SPEAKS_AGAINST = {
    "occupied": ("presence", "vacant"),
    "inactivity": ("presence", "occupied"),
    "suspicious_object": ("suspicious_object", "none"),
}
"""What was so where an alert of this kind was a false alarm: task and label."""


@router.get("/v1/alerts", response_model=AlertPage, **guarded(Role.VIEWER))
def read_alerts(
    *,
    context: Ctx,
    caller: Caller,
    state: States = None,
    severity: Severities = None,
    rooms: Names = None,
    start: Annotated[str | None, Query(alias="from", max_length=64)] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """Alerts raised since `from`, newest first."""
    scope = f"alerts {state} {severity} {rooms} {start}"
    items, last = held.alert_page(
        context.store,
        states=_among(AlertState, "state", state),
        severities=_among(Severity, "severity", severity),
        rooms=room_scope(caller, name_list(rooms)),
        from_ns=time_ns("from", start),
        limit=limit,
        after=None if cursor is None else unpack_cursor(cursor, scope, tuple[int, str]),
    )
    return page(items, None if last is None else pack_cursor(last, scope))


@router.get("/v1/alerts/{alert}", response_model=Alert, **guarded(Role.VIEWER))
def read_alert(alert: AlertId, context: Ctx, caller: Caller) -> Response:
    """One alert."""
    return answer(_alert(context, caller, alert))


@router.post("/v1/alerts/{alert}/acknowledge", response_model=Alert, **guarded(Role.OPERATOR))
def acknowledge(alert: AlertId, context: Ctx, caller: Caller) -> Response:
    """Somebody is on it: it stays until it is cleared, and does not become more severe by waiting."""
    return answer(_act(context, caller, alert, Action(AlertState.ACKNOWLEDGED, Cause.ACKNOWLEDGED)))


@router.post("/v1/alerts/{alert}/snooze", response_model=Alert, **guarded(Role.OPERATOR))
def snooze(alert: AlertId, body: SnoozeBody, context: Ctx, caller: Caller) -> Response:
    """No updates until then; if the alert is not cleared by then, it is back as raised."""
    now = time.time_ns()
    until_ns = now + round(body.for_s * 1e9) if body.for_s is not None else unix_ns(str(body.until))
    if not now < until_ns <= now + LONGEST_SNOOZE_S * 10**9:
        raise unfit("until", f"it lies ahead, by {LONGEST_SNOOZE_S // 86400} days at most")
    return answer(_act(context, caller, alert, Action(AlertState.SNOOZED, Cause.SNOOZED, until_ns)))


@router.post("/v1/alerts/{alert}/dismiss", response_model=Dismissal, **guarded(Role.OPERATOR))
async def dismiss(alert: AlertId, body: DismissBody, context: Ctx, caller: Caller) -> Response:
    """The alert is over, and is not raised again before its condition has ended.

    With `false_alarm` its windows become a labelled sample: nobody was there, somebody was (inactivity), no
    object, or the `count` given. The motion that led to the alert does not speak against that sample;
    whatever else does is told in its verdict. The dismissal stands whatever becomes of the sample.
    """
    action = Action(AlertState.DISMISSED, Cause.DISMISSED, note={"false_alarm": body.false_alarm})
    found = await anyio.to_thread.run_sync(partial(_act, context, caller, alert, action))
    if not body.false_alarm:
        return answer({"alert": found, **Labelled(None).to_json()})
    labelled = await _label(context, caller, alert, body.count)
    noted = await anyio.to_thread.run_sync(note_sample, context.store, alert, labelled.note())
    return answer({"alert": noted or found, **labelled.to_json()})


async def _label(context: Context, caller: Principal, alert: str, count: int | None) -> Labelled:
    """The sample that says what was so instead."""
    span = await anyio.to_thread.run_sync(held.alert_span, context.store, alert)
    if span is None:
        return Labelled(None, "the alert's room was deleted meanwhile")
    said = ("counting", str(count)) if count is not None else _SPEAKS_AGAINST.get(span.kind)
    if (span.kind == "count_over") != (count is not None) or said is None:
        return Labelled(None, _no_label(span.kind))
    asked = Asked(span.room, *said, from_ns=0, to_ns=0, actor=caller.actor, origin=FALSE_ALARM)
    return await label_span(context, asked, span.from_ns, span.to_ns)


def _no_label(kind: str) -> str:
    if kind == "count_over":
        return "only `count` says how many people there were instead"
    if kind in _SPEAKS_AGAINST:
        return "`count` is for alerts about a number of people"
    return f"an alert of kind {kind} is not about what was measured in frames"


def _act(context: Context, caller: Principal, alert: str, action: Action) -> dict[str, Any]:
    _alert(context, caller, alert)
    try:
        found = act(context.store, alert, action, actor=caller.actor)
    except LookupError as error:
        raise no_alert(alert) from error
    except AlertOverError as error:
        raise Problem("alert-over", f"alert {alert}: {error}") from error
    context.line.publish("alerts", {})
    context.hub.wake()
    return found


def _alert(context: Context, caller: Principal, alert: str) -> dict[str, Any]:
    """The alert, if the key covers its room: of others nobody learns that they exist."""
    found = held.get_alert(context.store, alert)
    if found is None or not caller.sees(found["room"]):
        raise no_alert(alert)
    return found


def no_alert(alert: str) -> Problem:
    """There is no alert of that id."""
    return Problem("alert-not-found", f"no alert {alert!r}")


def _among(kind: type[StrEnum], what: str, text: str | None) -> tuple[str, ...] | None:
    """The names that are asked for, all of them of this kind."""
    names = name_list(text)
    if names == ():
        raise misfit(what, f"names with commas; there are {', '.join(kind)}")
    for name in names or ():
        if name not in set(kind):
            raise misfit(what, f"no {what} {name[:80]!r}; there are {', '.join(kind)}")
    return names
