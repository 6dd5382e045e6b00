"""Rooms and links that come into being without an administrator: by a sender's header, or by `site.toml`."""

import time
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from models.prediction import JsonValue
from service.events import EventType
from service.rooms.config import RoomConfig
from service.settings import Settings
from service.store.alert_rules import add_missing
from service.store.audit import record
from service.store.engine import Store
from service.store.log import append_event, room_facts
from service.store.schema import links, rooms


def enroll(
    store: Store, *, link: str, room: str, nic: str, source: str, doc: Mapping[str, Any], actor: str
) -> None:
    """Put the link into the room, creating what is not there; ``room.changed`` of it, and of the one it left.

    `source` is what the link's frames are (live, replay or simulated); the event says so.
    """
    with store.write() as connection:
        now = time.time_ns()
        _create_room(connection, room, RoomConfig(), now)
        place = {"room": room, "nic": nic, "doc": dict(doc), "updated_ns": now}
        there = connection.execute(sa.select(links.c.room).where(links.c.link == link)).first()
        if there is None:
            connection.execute(sa.insert(links).values(link=link, revision=1, created_ns=now, **place))
        else:
            update = sa.update(links).where(links.c.link == link)
            connection.execute(update.values(revision=links.c.revision + 1, **place))
        _note(connection, room, actor, {"link": link, "source": source})
        if there is not None and there.room not in {None, room}:
            _note(connection, there.room, actor, {"link": link, "moved_to": room, "source": source})


def seed(store: Store, settings: Settings) -> None:
    """Create the rooms, links and alert rules of the configuration that the store does not hold yet."""
    if not (settings.rooms or settings.links or settings.alert_rules):
        return
    with store.write() as connection:
        now = time.time_ns()
        for wanted in settings.rooms:
            config = RoomConfig.model_validate(wanted.model_dump(exclude={"room"}))
            if _create_room(connection, wanted.room, config, now):
                _note(connection, wanted.room, "site.toml", {})
            for link in wanted.links:
                _create_link(connection, link, wanted.room, "auto", now)
        for entry in settings.links:
            if _create_room(connection, entry.room, RoomConfig(), now):
                _note(connection, entry.room, "site.toml", {})
            _create_link(connection, entry.link, entry.room, entry.nic, now)
        add_missing(connection, settings.alert_rules)


def _create_room(connection: sa.Connection, room: str, config: RoomConfig, now: int) -> bool:
    if connection.execute(sa.select(rooms.c.room).where(rooms.c.room == room)).first() is not None:
        return False
    document = config.model_dump(mode="json", exclude={"links"})
    row = {"room": room, "revision": 1, "doc": document, "created_ns": now, "updated_ns": now}
    connection.execute(sa.insert(rooms).values(row))
    return True


def _create_link(connection: sa.Connection, link: str, room: str, nic: str, now: int) -> None:
    if connection.execute(sa.select(links.c.link).where(links.c.link == link)).first() is None:
        row = {"link": link, "room": room, "nic": nic, "revision": 1, "doc": {}}
        connection.execute(sa.insert(links).values(**row, created_ns=now, updated_ns=now))


def _note(connection: sa.Connection, room: str, actor: str, detail: Mapping[str, JsonValue]) -> None:
    record(connection, actor=actor, action="room.changed", target=room, detail=detail)
    row = connection.execute(sa.select(rooms.c.revision, rooms.c.doc).where(rooms.c.room == room)).one()
    data = room_facts(room, row.doc.get("tags", {}), {"revision": row.revision, **detail})
    append_event(connection, EventType.ROOM_CHANGED, room=room, data=data, time_ns=time.time_ns())
