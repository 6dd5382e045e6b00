"""The numbered log and the alerts."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from starlette.responses import Response

from service.api.answers import MAX_INT64, Cursor, Limit, answer, misfit, name_list, page, time_ns
from service.api.auth import Caller, Ctx, guarded
from service.api.cursor import pack_cursor, unpack_cursor
from service.api.documents.events import AlertPage, EventLogPage
from service.api.problems import Problem
from service.events import Severity
from service.store.alerts import alert_page
from service.store.eventlog import read_events
from service.store.keys import Principal, Role
from service.view.cloudevents import cloud_event
from service.view.selection import event_types

router = APIRouter(tags=["events"])
Names = Annotated[str | None, Query(max_length=10_000, description="Names with commas; default all.")]


@router.get("/v1/events", response_model=EventLogPage, **guarded(Role.VIEWER))
def read_event_log(
    *,
    context: Ctx,
    caller: Caller,
    after: Annotated[int, Query(ge=0, le=MAX_INT64)] = 0,
    types: Names = None,
    rooms: Names = None,
    limit: Limit = 100,
) -> Response:
    """Events with a number above `after`, in order; `types` as in a subscribe message."""
    found = read_events(
        context.store,
        after=after,
        limit=limit,
        types=_types(types),
        rooms=_scope(caller, name_list(rooms)),
    )
    site = context.hub.site
    return answer(
        {
            "events": [cloud_event(event, site) for event in found.events],
            "next_after": found.next_after,
            "complete": found.complete,
        }
    )


@router.get("/v1/alerts", response_model=AlertPage, **guarded(Role.VIEWER))
def read_alerts(
    *,
    context: Ctx,
    caller: Caller,
    state: Literal["raised", "cleared"] | None = None,
    severity: Names = None,
    rooms: Names = None,
    start: Annotated[str | None, Query(alias="from", max_length=64)] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """Alerts raised since `from`, newest first."""
    scope = f"alerts {state} {severity} {rooms} {start}"
    items, last = alert_page(
        context.store,
        state=state,
        severities=_severities(severity),
        rooms=_scope(caller, name_list(rooms)),
        from_ns=time_ns("from", start),
        limit=limit,
        after=None if cursor is None else unpack_cursor(cursor, scope, tuple[int, str]),
    )
    return page(items, None if last is None else pack_cursor(last, scope))


def _scope(caller: Principal, rooms: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """The rooms asked for, if the key covers them; by default all it covers."""
    if caller.room is None:
        return rooms
    if rooms is not None and set(rooms) != {caller.room}:
        raise Problem("forbidden", f"the key is for room {caller.room}")
    return (caller.room,)


def _types(text: str | None) -> frozenset[str] | None:
    names = name_list(text)
    try:
        return None if names is None else event_types(names)
    except ValueError as error:
        raise misfit("types", str(error)) from error


def _severities(text: str | None) -> tuple[str, ...] | None:
    names = name_list(text)
    for name in names or ():
        if name not in set(Severity):
            raise misfit("severity", f"no severity {name[:80]!r}; there are {', '.join(Severity)}")
    return names
