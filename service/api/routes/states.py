"""The retained truth of rooms and zones."""

from collections.abc import Collection, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from models.task_names import names
from service.api.answers import misfit, name_list, tagged
from service.api.auth import Caller, Ctx, guarded
from service.api.documents.states import StateEnvelope, StatePage, ZoneState
from service.api.problems import Problem
from service.api.readers import by_readers
from service.api.routes.rooms import no_room
from service.rooms.config import Name
from service.store.keys import Principal, Role
from service.store.states import RoomStates, read_states
from service.view.overlay import Now, told_states
from service.view.zones import member_of, zone_names, zone_state

router = APIRouter(tags=["states"])
Names = Annotated[str | None, Query(max_length=10_000, description="Names with commas; default all.")]
Told = list[tuple[RoomStates, list[dict[str, Any]]]]


@router.get("/v1/rooms/{room}/state", response_model=StateEnvelope, **guarded(Role.VIEWER))
@by_readers
def read_room_state(room: Name, request: Request, context: Ctx) -> Response:
    """The latest state of every task of the room; unknown with a reason where nobody can know."""
    found = read_states(context.store, only=room)
    if not found:
        raise no_room(room)
    return tagged(request, _envelope(*_tell(found, context.now())[0]))


@router.get("/v1/state", response_model=StatePage, **guarded(Role.VIEWER))
@by_readers
def read_all_states(
    *,
    request: Request,
    context: Ctx,
    caller: Caller,
    rooms: Names = None,
    zones: Names = None,
    tasks: Names = None,
) -> Response:
    """States of all rooms and zones in one page, with one ETag; `zones` leaves their rooms only."""
    wanted, areas, kinds = name_list(rooms), name_list(zones), name_list(tasks)
    told = _tell(read_states(context.store, only=caller.room), context.now())
    _check_tasks(kinds or (), told)
    _check_there("rooms", wanted, [room.record.room for room, _ in told])
    _check_there("zones", areas, zone_names([room for room, _ in told]))
    chosen = [pair for pair in told if _is_wanted(pair[0], wanted, areas)]
    seen = zone_names([room for room, _ in chosen])
    shown = [name for name in seen if areas is None or name in areas] if caller.room is None else []
    page = {
        "sequence": max((room.sequence for room, _ in chosen), default=0),
        "items": [_envelope(room, states, kinds) for room, states in chosen],
        "zones": _zones(shown, told),
        "next_cursor": None,
    }
    return tagged(request, page)


@router.get("/v1/zones/{zone}/state", response_model=ZoneState, **guarded(Role.VIEWER))
@by_readers
def read_zone_state(zone: Name, request: Request, context: Ctx, caller: Caller) -> Response:
    """Whether anybody is in the zone: occupied if any member is, vacant if all are, else unknown."""
    found = [room for room in read_states(context.store) if _lists(room, zone)]
    mine = [room for room in found if caller.sees(room.record.room)]
    if not mine:
        raise Problem("zone-not-found", f"no zone {zone!r}")
    _check_covered(zone, found, mine, caller)
    return tagged(request, _zones([zone], _tell(found, context.now()))[0])


def _tell(rooms: Sequence[RoomStates], now: Now) -> Told:
    return [(room, told_states(room, now)) for room in rooms]


def _envelope(
    room: RoomStates, told: list[dict[str, Any]], kinds: tuple[str, ...] | None = None
) -> dict[str, Any]:
    tasks = [task for task in told if kinds is None or task["task"] in kinds]
    return {"room": room.record.room, "sequence": room.sequence, "tasks": tasks}


def _check_tasks(kinds: Sequence[str], told: Told) -> None:
    """A task that is nowhere is a slip: rooms without any state would be the answer."""
    known = {*names(), *(task for room, _ in told for task in room.record.config.tasks)}
    for kind in kinds:
        if kind not in known:
            raise misfit("tasks", f"no task {kind[:64]!r}; there are {', '.join(sorted(known))}")


def _check_there(kind: str, wanted: Sequence[str] | None, there: Collection[str]) -> None:
    """An empty page would read as rooms without news."""
    for name in wanted or ():
        if name not in there:
            raise misfit(kind, f"no {kind.removesuffix('s')} {name[:64]!r}")


def _zones(wanted: Sequence[str], told: Told) -> list[dict[str, Any]]:
    """States of these zones; a zone's members are all rooms that list it."""
    members: dict[str, list[Any]] = {name: [] for name in wanted}
    for room, states in told:
        for zone in room.record.config.zones:
            if zone.zone in members:
                members[zone.zone].append(member_of(zone, room, states))
    return [zone_state(name, found) for name, found in members.items()]


def _is_wanted(room: RoomStates, rooms: tuple[str, ...] | None, zones: tuple[str, ...] | None) -> bool:
    if rooms is not None and room.record.room not in rooms:
        return False
    return zones is None or any(zone.zone in zones for zone in room.record.config.zones)


def _lists(room: RoomStates, zone: str) -> bool:
    return any(one.zone == zone for one in room.record.config.zones)


def _check_covered(
    zone: str, found: Sequence[RoomStates], mine: Sequence[RoomStates], caller: Principal
) -> None:
    """A zone tells of all its rooms: a key for one of them may not read it."""
    if len(mine) < len(found):
        raise Problem("forbidden", f"zone {zone} has other rooms too, the key is for room {caller.room}")
