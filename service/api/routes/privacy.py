"""Privacy of a room: pause and resume sensing, export what is stored, erase it."""

import time
from dataclasses import replace
from functools import partial
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response, StreamingResponse

from service.api.answers import answer, unfit
from service.api.auth import Caller, Ctx, guarded
from service.api.documents.privacy import EraseBody, Erased, PauseBody, PauseState, ResumeBody
from service.api.routes.rooms import announce_rooms, no_room
from service.rooms.config import Name
from service.rooms.pause import Pause
from service.state import rfc3339, unix_ns
from service.store.audit import record
from service.store.erasing import Range, erase
from service.store.keys import Role
from service.store.pauses import pause_of
from service.store.pausing import Change, change_pause, resumed
from service.store.room_export import export_room
from service.store.rooms import get_room

router = APIRouter(tags=["privacy"])
_LINES = "application/x-ndjson"


@router.get("/v1/admin/rooms/{room}/pause", response_model=PauseState, **guarded(Role.ADMIN))
def read_pause(room: Name, context: Ctx) -> Response:
    """Whether the room is paused, and when next."""
    if get_room(context.store, room) is None:
        raise no_room(room)
    return answer(_document(room, pause_of(context.store, room)))


@router.post("/v1/admin/rooms/{room}/pause", response_model=PauseState, **guarded(Role.ADMIN))
def pause_room(room: Name, context: Ctx, caller: Caller, body: PauseBody | None = None) -> Response:
    """Stop sensing in the room: within a second nothing of it is computed or stored any more.

    Its states become `paused`, its jobs are cancelled, and samples and adaptations are refused. It outlives
    restarts.
    """
    asked, now = body or PauseBody(), time.time_ns()
    until_ns = asked.until_ns(now)
    if until_ns is not None and until_ns <= now:
        raise unfit("until", f"{asked.until} is over already")

    def change(before: Pause, now_ns: int) -> Pause:
        after = before if asked.schedule is None else replace(before, schedule=asked.schedule)
        return replace(after, from_ns=now_ns, until_ns=asked.until_ns(now_ns)) if asked.now else after

    return _change(context, caller, room, change, "room.paused")


@router.post("/v1/admin/rooms/{room}/resume", response_model=PauseState, **guarded(Role.ADMIN))
def resume_room(room: Name, context: Ctx, caller: Caller, body: ResumeBody | None = None) -> Response:
    """End the pause that holds now, if one does; states are unknown until a full window was seen."""
    keep = body is None or not body.drop_schedule

    def change(before: Pause, now_ns: int) -> Pause:
        return resumed(before, now_ns, keep_schedule=keep)

    return _change(context, caller, room, change, "room.resumed")


@router.get(
    "/v1/admin/rooms/{room}/export",
    response_class=StreamingResponse,
    responses={200: {"content": {_LINES: {"schema": {"type": "string"}}}, "description": "Lines of JSON."}},
    **guarded(Role.ADMIN),
)
def export(room: Name, context: Ctx, caller: Caller) -> Response:
    """All that is stored about the room, one row a line; the last line says that it is whole."""
    if get_room(context.store, room) is None:
        raise no_room(room)
    with context.store.write() as connection:
        record(connection, actor=caller.actor, action="room.exported", target=room)
    headers = {"Content-Disposition": f'attachment; filename="{room}.jsonl"', "Cache-Control": "no-store"}
    lines = context.long_work.pieces(export_room(context.store, room))
    return StreamingResponse(lines, headers=headers, media_type=_LINES)


@router.post("/v1/admin/rooms/{room}/erase", response_model=Erased, **guarded(Role.ADMIN))
async def erase_history(room: Name, body: EraseBody, context: Ctx, caller: Caller) -> Response:
    """Erase what was measured and learned in the room, and keep the room.

    Predictions, states, alerts, samples with their windows, calibration, jobs and learned heads go; events
    keep their number alone, as `room.erased`. Setup, keys and the audit log stay. Windows and samples count
    by capture time. It cannot be undone; backups are not touched.
    """
    span = Range()
    if body.start is not None:
        span = replace(span, from_ns=unix_ns(body.start))
    if body.end is not None:
        span = replace(span, to_ns=unix_ns(body.end))
    rows = await context.long_work.run(partial(erase, context.store, room, span, actor=caller.actor))
    if rows is None:
        raise no_room(room)
    announce_rooms(context)
    return answer({"room": room, "rows": rows})


def _change(context: Ctx, caller: Caller, room: str, change: Change, action: str) -> Response:
    after = change_pause(context.store, room, change, actor=caller.actor, action=action)
    if after is None:
        raise no_room(room)
    announce_rooms(context)
    return answer(_document(room, after))


def _document(room: str, pause: Pause) -> dict[str, Any]:
    now = time.time_ns()
    hold, following = pause.at(now), pause.next(now)
    ends = None if hold is None or hold.until_ns is None else rfc3339(hold.until_ns)
    upcoming = following and {"from": rfc3339(following.from_ns), "to": rfc3339(following.to_ns)}
    return {
        "room": room,
        "paused": hold is not None,
        "since": None if hold is None else rfc3339(hold.from_ns),
        "until": ends,
        "by": None if hold is None else hold.by,
        "schedule": None if pause.schedule is None else pause.schedule.model_dump(),
        "next": upcoming,
    }
