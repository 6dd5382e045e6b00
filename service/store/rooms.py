"""Rooms: their documents, their links, and what is erased with them."""

import hashlib
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import sqlalchemy as sa

from models.prediction import JsonValue
from service.events import EventType
from service.rooms.config import STORED, RoomConfig
from service.store.audit import change, record
from service.store.belongings import SETUP
from service.store.by_room import ByRoom
from service.store.engine import Store
from service.store.erasing import Range, erase_history
from service.store.keys import revoke_keys_of
from service.store.log import append_event, room_facts
from service.store.schema import links, rooms
from service.store.webhooks import end_webhooks_of

UNKNOWN_NIC = "auto"
"""NIC of a link that was named before anything was received from it."""
_ROOMS_AND_LINKS = ByRoom(
    sa.select(rooms, links.c.link)
    .join_from(rooms, links, links.c.room == rooms.c.room, isouter=True)
    .order_by(rooms.c.room, links.c.link),
    rooms.c.room,
)

Check = Callable[["RoomRecord | None"], None]
"""Called inside the transaction with the room as it stands; what it raises rolls everything back."""


@dataclass(frozen=True, slots=True)
class RoomRecord:
    """A room as the store holds it; `config.links` comes from the table of links."""

    room: str
    revision: int
    config: RoomConfig
    created_ns: int
    updated_ns: int

    @property
    def etag(self) -> str:
        """Entity tag: moves with the document and with the links assigned to the room."""
        assigned = hashlib.sha256("\n".join(self.config.links).encode()).hexdigest()
        return f'"{self.revision}-{assigned[:8]}"'


def list_rooms(store: Store, *, only: str | None = None) -> list[RoomRecord]:
    """All rooms by name, or the one named `only` if it is there."""
    with store.read() as connection:
        return select_rooms(connection, only=only)


def get_room(store: Store, room: str) -> RoomRecord | None:
    """The room of that name."""
    return next(iter(list_rooms(store, only=room)), None)


def select_rooms(connection: sa.Connection, *, only: str | None = None) -> list[RoomRecord]:
    """As `list_rooms`, in the caller's transaction."""
    rows = _ROOMS_AND_LINKS.run(connection, only).mappings()
    return [_record(list(group)) for _, group in groupby(rows, key=lambda row: row["room"])]


def put_room(
    store: Store,
    room: str,
    config: RoomConfig,
    *,
    check: Check,
    actor: str,
    nics: Mapping[str, str],
) -> tuple[RoomRecord, bool]:
    """Create the room or replace its document; also whether it is new.

    Links are replaced only where the document sets them. `nics` tells the NIC of links that were heard of.
    """
    with store.write() as connection:
        return write_room(connection, room, config, check=check, actor=actor, nics=nics)


def write_room(
    connection: sa.Connection,
    room: str,
    config: RoomConfig,
    *,
    check: Check,
    actor: str,
    nics: Mapping[str, str],
) -> tuple[RoomRecord, bool]:
    """As `put_room`, in the caller's transaction."""
    now = time.time_ns()
    before = next(iter(select_rooms(connection, only=room)), None)
    check(before)
    document = config.model_dump(mode="json", exclude={"links"})
    if before is None:
        row = {"room": room, "revision": 1, "doc": document, "created_ns": now, "updated_ns": now}
        connection.execute(sa.insert(rooms).values(row))
    else:
        changed = {"revision": before.revision + 1, "doc": document, "updated_ns": now}
        connection.execute(sa.update(rooms).where(rooms.c.room == room).values(changed))
    others: list[RoomRecord] = []
    if "links" in config.model_fields_set:
        others = _owners(connection, config.links, room)
        _assign(connection, room, config.links, nics, now)
    after = select_rooms(connection, only=room)[0]
    for was, is_now in [
        (before, after),
        *((one, select_rooms(connection, only=one.room)[0]) for one in others),
    ]:
        _note(connection, EventType.ROOM_CHANGED, is_now, {"revision": is_now.revision})
        _audit(connection, actor, is_now.room, was, is_now)
    return after, before is None


def note_changed(connection: sa.Connection, names: Collection[str | None]) -> None:
    """Tell the log that these rooms changed, as they do when a link comes or goes; None is no room."""
    for name in dict.fromkeys(names):
        for room in select_rooms(connection, only=name) if name is not None else ():
            _note(connection, EventType.ROOM_CHANGED, room, {"revision": room.revision})


def delete_room(store: Store, room: str, *, check: Check, actor: str) -> None:
    """Erase the room with its whole history; its links become unassigned, events keep only their numbers.

    Keys and webhooks for it end: a room that is made under its name is another.
    `check` refuses a room that is missing.
    """
    now = time.time_ns()
    with store.write() as connection:
        before = next(iter(select_rooms(connection, only=room)), None)
        check(before)
        if before is None:
            return
        erase_history(connection, room, Range(), now, "room_deleted")
        for table in SETUP:
            connection.execute(sa.delete(table).where(table.c.room == room))
        _release(connection, links.c.room == room, now)
        revoke_keys_of(connection, room, actor=actor)
        last = _note(connection, EventType.ROOM_DELETED, before, {})
        end_webhooks_of(connection, room, last=last, actor=actor)
        _audit(connection, actor, room, before, None)
    store.scrub()


def _owners(connection: sa.Connection, wanted: list[str], room: str) -> list[RoomRecord]:
    """Other rooms that these links belong to now."""
    query = sa.select(links.c.room).where(links.c.link.in_(wanted), links.c.room != room).distinct()
    names = connection.execute(query.order_by(links.c.room)).scalars().all()
    return [one for name in names for one in select_rooms(connection, only=name)]


def _assign(
    connection: sa.Connection, room: str, wanted: list[str], nics: Mapping[str, str], now: int
) -> None:
    """Make `wanted` exactly the links of the room."""
    _release(connection, (links.c.room == room) & links.c.link.not_in(wanted), now)
    rows = connection.execute(sa.select(links.c.link, links.c.room, links.c.doc))
    there = {row.link: row for row in rows}
    for link in dict.fromkeys(wanted):
        if link not in there:
            row = {"link": link, "room": room, "nic": nics.get(link, UNKNOWN_NIC), "revision": 1, "doc": {}}
            connection.execute(sa.insert(links).values(**row, created_ns=now, updated_ns=now))
        elif there[link].room != room:
            # An admin put it here: its sender's header may no longer move it.
            doc = {name: value for name, value in there[link].doc.items() if name != "assigned_by"}
            moved = {"room": room, "doc": doc, "revision": links.c.revision + 1, "updated_ns": now}
            connection.execute(sa.update(links).where(links.c.link == link).values(moved))


def _release(connection: sa.Connection, which: sa.ColumnElement[bool], now: int) -> None:
    freed = {"room": None, "revision": links.c.revision + 1, "updated_ns": now}
    connection.execute(sa.update(links).where(which).values(freed))


def _note(
    connection: sa.Connection,
    kind: EventType,
    room: RoomRecord,
    detail: Mapping[str, JsonValue],
) -> int:
    """Tell the log; the number of the event."""
    data = room_facts(room.room, room.config.tags, detail)
    return append_event(connection, kind, room=room.room, data=data, time_ns=time.time_ns())


def _audit(
    connection: sa.Connection,
    actor: str,
    room: str,
    before: RoomRecord | None,
    after: RoomRecord | None,
) -> None:
    was, now = (None if one is None else one.config.model_dump(mode="json") for one in (before, after))
    action = "room.deleted" if after is None else "room.changed"
    record(connection, actor=actor, action=action, target=room, detail=change(was, now))


def _record(rows: list[sa.RowMapping]) -> RoomRecord:
    """The room out of its rows, one a link; one without a link where it has none."""
    row = rows[0]
    document: dict[str, Any] = {
        **row["doc"],
        "links": [one["link"] for one in rows if one["link"] is not None],
    }
    return RoomRecord(
        room=row["room"],
        revision=row["revision"],
        config=RoomConfig.model_validate(document, context=STORED),
        created_ns=row["created_ns"],
        updated_ns=row["updated_ns"],
    )
