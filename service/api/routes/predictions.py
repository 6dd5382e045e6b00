"""History of predictions."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query
from starlette.responses import Response

from service.api.answers import Cursor, Limit, misfit, page, time_ns
from service.api.auth import Ctx, guarded
from service.api.cursor import pack_cursor, unpack_cursor
from service.api.documents.states import PredictionPage
from service.api.routes.rooms import no_room
from service.rooms.config import Name, TaskName
from service.store.history import Position, prediction_page
from service.store.keys import Role
from service.store.rooms import get_room

router = APIRouter(tags=["predictions"])
Moment = Annotated[str | None, Query(max_length=64, description="RFC 3339, by the end of the window.")]


@router.get("/v1/rooms/{room}/predictions", response_model=PredictionPage, **guarded(Role.VIEWER))
def read_predictions(
    *,
    room: Name,
    context: Ctx,
    task: TaskName | None = None,
    start: Annotated[Moment, Query(alias="from")] = None,
    end: Annotated[Moment, Query(alias="to")] = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Response:
    """Predictions of windows that ended in [from, to), newest first."""
    if get_room(context.store, room) is None:
        raise no_room(room)
    from_ns, to_ns = time_ns("from", start), time_ns("to", end)
    if from_ns is not None and to_ns is not None and from_ns > to_ns:
        raise misfit("from", f"{start} is later than `to`, {end}")
    scope = f"predictions {room} {task} {start} {end}"
    items, last = prediction_page(
        context.store,
        room,
        tasks=None if task is None else (task,),
        from_ns=from_ns,
        to_ns=to_ns,
        limit=limit,
        after=None if cursor is None else unpack_cursor(cursor, scope, Position),
    )
    return page(items, None if last is None else pack_cursor(msgspec.to_builtins(last), scope))
