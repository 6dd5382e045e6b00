"""Who may send: which room a sender's link belongs to, or why its frames are not taken."""

from dataclasses import dataclass
from typing import Final

from pydantic import TypeAdapter, ValidationError

from drivers.wire import SCHEMA_VERSION, Hello
from service.rooms.config import Name
from service.store.engine import Store
from service.store.enroll import enroll
from service.store.links import get_link
from service.worker.site import ASSIGNED_BY, BY_HEADER, Layout, LinkPlace

_name: Final = TypeAdapter[str](Name)


@dataclass(frozen=True, slots=True)
class Admitted:
    """The link's room; `enrolled` if the link was just put there."""

    room: str
    enrolled: bool


@dataclass(frozen=True, slots=True)
class Refused:
    """Why not; `reason` is stable, `detail` says what to do."""

    reason: str
    detail: str


def admit(hello: Hello, layout: Layout, store: Store, *, rooms_by_header: bool) -> Admitted | Refused:
    """Decide about a sender by its own words and the configured links."""
    if hello.schema != SCHEMA_VERSION:
        return Refused(
            "schema_version",
            f"it speaks schema version {hello.schema}, this service {SCHEMA_VERSION}: update the older one",
        )
    place = layout.links.get(hello.link) or _just_enrolled(hello.link, store)
    if place is not None and place.room is not None and hello.room in {None, place.room}:
        return Admitted(place.room, enrolled=hello.link not in layout.links)
    if place is not None and not place.by_header:
        return _misplaced(hello, place.room)
    return _by_header(hello, store, allowed=rooms_by_header)


def _just_enrolled(link: str, store: Store) -> LinkPlace | None:
    """The link, if it was configured after the layout was read (`roomtone links enroll` asks nobody)."""
    record = get_link(store, link)
    if record is None:
        return None
    by_header = record.doc.get(ASSIGNED_BY) == BY_HEADER
    return LinkPlace(record.room, by_header, record.last_capture_ns)


def _misplaced(hello: Hello, room: str | None) -> Refused:
    if room is None:
        return Refused(
            "unknown_link", f"link {hello.link} belongs to no room: assign it with PUT /v1/links/{hello.link}"
        )
    return Refused(
        "other_room",
        f"link {hello.link} belongs to room {room}, not {hello.room}: use another link name, "
        f"or move it with PUT /v1/links/{hello.link}",
    )


def _by_header(hello: Hello, store: Store, *, allowed: bool) -> Admitted | Refused:
    if not allowed or hello.room is None:
        how = "name a room (--room)" if allowed else "ingest.auto_rooms is off, so add it first"
        return Refused(
            "unknown_link", f"nobody configured link {hello.link}: {how}, or PUT /v1/links/{hello.link}"
        )
    for kind, name in (("link", hello.link), ("room", hello.room)):
        if not _is_name(name):
            return Refused("bad_name", f"{name[:80]!r} is no name of a {kind}: letters, digits, _ . - only")
    enroll(
        store,
        link=hello.link,
        room=hello.room,
        nic=hello.nic,
        source=hello.source.value,
        doc={ASSIGNED_BY: BY_HEADER},
        actor=f"ingest:{hello.link}",
    )
    return Admitted(hello.room, enrolled=True)


def _is_name(text: str) -> bool:
    try:
        _name.validate_python(text)
    except ValidationError:
        return False
    return True
