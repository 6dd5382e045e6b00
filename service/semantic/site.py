"""What the exports are made from: rooms, their names in the world, and their points on BACnet."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from service.outlets.bacnet.layout import Entry, layout
from service.rooms.config import RoomConfig
from service.store.bacnet import Device, known_device, known_numbers
from service.store.engine import Store
from service.store.eventlog import site_id
from service.store.rooms import RoomRecord

CLASS_TAG: Final = "brick"
"""Tag of a room that names its class in Brick."""
MARKERS_TAG: Final = "haystack"
"""Tag of a room that lists its markers in Haystack."""
_CLASS: Final = re.compile(r"[A-Z][A-Za-z0-9_]*")
_MARKER: Final = re.compile(r"[a-z][A-Za-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Site:
    """A site to export.

    Attributes:
        site: random name of the site's store.
        rooms: those that the caller may see, by name.
        entries: their points on BACnet, by room and task (None: alarms); none where the outlet is off.
        device: the BACnet device; None where the outlet is off or never ran.
    """

    site: str
    rooms: Sequence[RoomRecord]
    entries: Mapping[tuple[str, str | None], Entry]
    device: Device | None

    @property
    def urn(self) -> str:
        """Name of the site in all the world; those of rooms begin with it."""
        return f"urn:roomtone:site:{self.site}"

    def room_urn(self, room: str) -> str:
        """Name of a room in all the world."""
        return f"{self.urn}:room:{room}"


def read_site(store: Store, rooms: Sequence[RoomRecord], *, bacnet: bool) -> Site:
    """The site of these rooms; `bacnet` tells their points there, as far as they have numbers."""
    device = known_device(store) if bacnet else None
    numbers = known_numbers(store, rooms) if bacnet else {}
    entries = layout([record for record in rooms if record.room in numbers], numbers)
    by_task = {(entry.room, entry.kind.task): entry for entry in entries}
    return Site(site_id(store), rooms, by_task, device)


def brick_class(config: RoomConfig) -> str:
    """Class of the room in Brick: that of its tag, if it looks like one, else Room."""
    named = config.tags.get(CLASS_TAG, "")
    return named if _CLASS.fullmatch(named) else "Room"


def markers(config: RoomConfig) -> list[str]:
    """Markers of the room in Haystack, from its tag; what is no name of a marker is left out."""
    words = re.split(r"[\s,]+", config.tags.get(MARKERS_TAG, ""))
    return [word for word in dict.fromkeys(words) if _MARKER.fullmatch(word)]


def other_tags(config: RoomConfig) -> Iterator[tuple[str, str]]:
    """Tags of the room that belong to no vocabulary of ours."""
    return ((name, value) for name, value in config.tags.items() if name not in {CLASS_TAG, MARKERS_TAG})


def label(record: RoomRecord) -> str:
    """What people call the room."""
    return record.config.name or record.room
