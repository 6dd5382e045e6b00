"""Which objects a site has on BACnet: one table for the device and the EDE export. Pure."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from service.store.rooms import RoomRecord

OCCUPANCY_TEXTS: Final = ("vacant", "occupied")
"""Inactive_Text and Active_Text."""
ALARM_TEXTS: Final = ("normal", "info", "warning", "critical")
"""State_Text of the states 1 to 4."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of object that rooms have.

    Attributes:
        name: last part of its objects' names.
        object_type: as bacpypes3 and people spell it.
        type_number: as EDE files and the wire have it (BACnetObjectType).
        task: rooms have it only if they run this task; None: all rooms.
        says: what it tells, for its Description.
    """

    name: str
    object_type: str
    type_number: int
    task: str | None
    says: str


OCCUPANCY: Final = Kind("occupancy", "binary-input", 3, "presence", "occupancy")
PEOPLE: Final = Kind("people", "analog-input", 0, "counting", "number of people")
ALARM: Final = Kind("alarm", "multi-state-value", 19, None, "gravest open alert")
KINDS: Final = (OCCUPANCY, PEOPLE, ALARM)


@dataclass(frozen=True, slots=True)
class Entry:
    """One object of one room; `number` is its instance, the same for all kinds of a room.

    With another description it is still the same object.
    """

    room: str
    number: int
    kind: Kind
    description: str = field(compare=False)

    @property
    def name(self) -> str:
        """Object_Name; rooms' names have no slash, so no two are alike."""
        return f"{self.room}/{self.kind.name}"


def layout(rooms: Iterable[RoomRecord], numbers: Mapping[str, int]) -> list[Entry]:
    """All objects of these rooms, by room."""
    return [
        Entry(record.room, numbers[record.room], kind, f"{record.config.name or record.room}: {kind.says}")
        for record in rooms
        for kind in KINDS
        if kind.task is None or kind.task in record.config.tasks
    ]


def digest(entries: Sequence[Entry]) -> str:
    """Moves when objects come, go or change their names."""
    told = sorted(f"{entry.kind.object_type},{entry.number},{entry.name}" for entry in entries)
    return hashlib.sha256("\n".join(told).encode()).hexdigest()[:16]
