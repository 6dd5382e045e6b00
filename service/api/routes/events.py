"""The numbered log."""

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from service.api.answers import MAX_INT64, Limit, answer, misfit, name_list
from service.api.auth import Caller, Ctx, guarded
from service.api.documents.events import EventLogPage
from service.api.problems import Problem
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
        rooms=room_scope(caller, name_list(rooms)),
    )
    site = context.hub.site
    return answer(
        {
            "events": [cloud_event(event, site) for event in found.events],
            "next_after": found.next_after,
            "complete": found.complete,
        }
    )


def room_scope(caller: Principal, rooms: tuple[str, ...] | None) -> tuple[str, ...] | None:
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
