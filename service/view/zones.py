"""Zones: parts of a room or sets of rooms, and what is known of each.

A zone is named by the rooms that list it. Any member occupied: occupied; all vacant: vacant; else unknown. A
member with an outline is a part of its room: in an occupied room it counts as occupied only where somebody is
placed inside the outline, and as unknown elsewhere, since another person may be there unplaced.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from service.rooms.config import Point, Zone
from service.state import Status
from service.store.states import RoomStates

NOT_PLACED: Final = "not_placed"
"""Reason: somebody is in the room, and nobody knows in which part of it."""


@dataclass(frozen=True, slots=True)
class Member:
    """What one room says of a zone: occupied, vacant, or None and why it is not known."""

    room: str
    value: str | None
    probability: float | None
    reason: str | None
    since: str | None
    sequence: int

    def document(self) -> dict[str, Any]:
        """The member as the API shows it."""
        return {"room": self.room, "value": self.value, "reason": self.reason}


def zone_names(rooms: Sequence[RoomStates]) -> list[str]:
    """Names of all zones of these rooms."""
    return sorted({zone.zone for room in rooms for zone in room.record.config.zones})


def member_of(zone: Zone, room: RoomStates, told: Sequence[dict[str, Any]]) -> Member:
    """What a room says of one of its zones; `told` are its states as they are told."""
    states = {state["task"]: state for state in told}
    presence = states.get("presence")
    name, sequence = room.record.room, room.sequence
    if presence is None:
        return Member(name, None, None, "no_model", None, sequence)
    value, since, probability = presence["value"], presence["since"], presence["probability"]
    if value is None:
        return Member(name, None, None, presence["reason"] or presence["status"], since, sequence)
    if zone.outline and value == "occupied" and not _placed_in(zone.outline, states.get("localization")):
        return Member(name, None, None, NOT_PLACED, since, sequence)
    return Member(name, value, probability, None, since, sequence)


def zone_state(zone: str, members: Sequence[Member]) -> dict[str, Any]:
    """The zone's state out of its members'."""
    decisive = _decisive(members)
    value = decisive[0].value if decisive else None
    reasons = sorted({member.reason for member in members if member.reason})
    paused = all(member.reason == Status.PAUSED for member in members)
    known = [member.since for member in decisive or members if member.since]
    return {
        "zone": zone,
        "sequence": max((member.sequence for member in members), default=0),
        "status": "ok" if value else "paused" if paused else "unknown",
        "reason": None if value else reasons[0] if len(reasons) == 1 else "members_unknown",
        "value": value,
        "probability": _bound(decisive),
        # Occupied since the first of them; vacant, or unknown, since the last became so.
        "since": (min if value == "occupied" else max)(known, default=None),
        "members": [member.document() for member in members],
    }


def _decisive(members: Sequence[Member]) -> list[Member]:
    """Members that decide the zone's value; none where nobody can know it."""
    occupied = [member for member in members if member.value == "occupied"]
    if occupied:
        return occupied
    return list(members) if all(member.value == "vacant" for member in members) else []


def _bound(decisive: Sequence[Member]) -> float | None:
    """The least probability that the value is right, whatever hangs together between rooms (Boole)."""
    sure = [member.probability for member in decisive if member.probability is not None]
    if not decisive or len(sure) < len(decisive):
        return None
    if decisive[0].value == "occupied":
        return max(sure)
    return max(0.0, 1 - sum(1 - one for one in sure))


def _placed_in(outline: Sequence[Point], localization: dict[str, Any] | None) -> bool:
    """Whether somebody is placed inside the outline (even-odd rule); fewer than three corners hold nobody."""
    place = localization["value"] if localization else None
    if not isinstance(place, dict) or len(outline) < 3:
        return False
    x, y, inside = place["x_m"], place["y_m"], False
    for one, other in zip(outline, [*outline[1:], outline[0]], strict=True):
        if (one.y_m > y) != (other.y_m > y):
            crossing = one.x_m + (y - one.y_m) * (other.x_m - one.x_m) / (other.y_m - one.y_m)
            inside ^= x < crossing
    return inside
