"""The points of a whole site at a moment: each object's state found, and told. Pure."""

from collections.abc import Iterable, Mapping, Sequence

from service.outlets.bacnet.layout import ALARM, OCCUPANCY, Entry
from service.outlets.bacnet.points import OnUnknown, Point, alarm, occupancy, people
from service.outlets.port import RoomView, SiteView

Severities = Mapping[str, Sequence[str]]
"""Severities of the open alerts of each room."""


def points_of(
    entries: Iterable[Entry],
    view: SiteView,
    severities: Severities,
    shown: Mapping[Entry, Point],
    on_unknown: OnUnknown,
) -> dict[Entry, Point]:
    """What each object is to show; `shown` is what it shows until now."""
    rooms = {room.record.room: room for room in view.rooms}
    return {
        entry: _point(entry, rooms[entry.room], severities.get(entry.room, ()), shown.get(entry), on_unknown)
        for entry in entries
    }


def _point(
    entry: Entry, room: RoomView, severities: Sequence[str], shown: Point | None, on_unknown: OnUnknown
) -> Point:
    if entry.kind is ALARM:
        return alarm(room.states, severities)
    state = next(state for state in room.states if state["task"] == entry.kind.task)
    tell = occupancy if entry.kind is OCCUPANCY else people
    return tell(state, None if shown is None else shown.value, on_unknown)
