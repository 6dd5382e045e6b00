"""The retained truth of rooms."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from service.api.answers import name_list, tagged
from service.api.auth import Caller, Ctx, guarded
from service.api.context import Context
from service.api.documents.states import StateEnvelope, StatePage
from service.api.routes.rooms import no_room
from service.rooms.config import Name
from service.store.keys import Role
from service.store.states import RoomStates, read_states
from service.view.overlay import told_states

router = APIRouter(tags=["states"])
Names = Annotated[str | None, Query(max_length=10_000, description="Names with commas; default all.")]


@router.get("/v1/rooms/{room}/state", response_model=StateEnvelope, **guarded(Role.VIEWER))
def read_room_state(room: Name, request: Request, context: Ctx) -> Response:
    """The latest state of every task of the room; unknown with a reason where nobody can know."""
    found = read_states(context.store, only=room)
    if not found:
        raise no_room(room)
    return tagged(request, _envelope(found[0], context))


@router.get("/v1/state", response_model=StatePage, **guarded(Role.VIEWER))
def read_all_states(
    request: Request, context: Ctx, caller: Caller, rooms: Names = None, tasks: Names = None
) -> Response:
    """States of all rooms in one page, with one ETag."""
    wanted, kinds = name_list(rooms), name_list(tasks)
    found = [
        room
        for room in read_states(context.store, only=caller.room)
        if wanted is None or room.record.room in wanted
    ]
    items = [_envelope(room, context, kinds) for room in found]
    sequence = max((room.sequence for room in found), default=0)
    return tagged(request, {"sequence": sequence, "items": items, "next_cursor": None})


def _envelope(room: RoomStates, context: Context, kinds: tuple[str, ...] | None = None) -> dict[str, Any]:
    tasks = [task for task in told_states(room, context.now()) if kinds is None or task["task"] in kinds]
    return {"room": room.record.room, "sequence": room.sequence, "tasks": tasks}
