"""Empty-room baselines, by link: which of them still hold."""

import time
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa

from models.prediction import JsonValue
from service.store.engine import Store
from service.store.schema import baselines

PRESENCE = "presence"
STALE = "stale"
"""In a link's baseline: why it no longer holds (another transmitter is another channel)."""


def fresh(document: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """The baselines of a room's links that still hold."""
    return {link: one for link, one in document.items() if not (isinstance(one, Mapping) and STALE in one)}


def of_kind(document: Mapping[str, JsonValue], *, simulated: bool) -> dict[str, JsonValue]:
    """Those that may serve frames of a kind: simulated ones say nothing of a real room, nor the other way."""
    return {
        link: one
        for link, one in document.items()
        if not isinstance(one, Mapping)
        or one.get("source") is None
        or (one["source"] == "simulated") == simulated
    }


def mark_stale(connection: sa.Connection, room: str, link: str, why: Mapping[str, Any]) -> None:
    """The baseline of this link no longer holds; nothing happens where there is none, or it is marked."""
    which = (baselines.c.room == room) & (baselines.c.task == PRESENCE)
    document = connection.execute(sa.select(baselines.c.doc).where(which)).scalar()
    if not document or not isinstance(document.get(link), dict) or STALE in document[link]:
        return
    marked = {**document, link: {**document[link], STALE: dict(why)}}
    connection.execute(sa.update(baselines).where(which).values(doc=marked))


def read_fresh(store: Store, room: str) -> dict[str, JsonValue]:
    """The baselines of a room's links that still hold, as stored now."""
    which = (baselines.c.room == room) & (baselines.c.task == PRESENCE)
    with store.read() as connection:
        return fresh(connection.execute(sa.select(baselines.c.doc).where(which)).scalar() or {})


def read_baselines(store: Store, room: str | None = None) -> dict[tuple[str | None, str], dict[str, Any]]:
    """Baselines by room and link, those that no longer hold too, of one room or of all."""
    query = sa.select(baselines.c.room, baselines.c.doc).where(baselines.c.task == PRESENCE)
    if room is not None:
        query = query.where(baselines.c.room == room)
    with store.read() as connection:
        rows = connection.execute(query).all()
    return {(row.room, link): one for row in rows for link, one in row.doc.items() if isinstance(one, dict)}


def replace_baselines(connection: sa.Connection, room: str, found: Mapping[str, Any]) -> None:
    """These links have these baselines from now on; the room's other links keep theirs."""
    which = (baselines.c.room == room) & (baselines.c.task == PRESENCE)
    before = connection.execute(sa.select(baselines.c.doc).where(which)).scalar()
    values = {"doc": {**(before or {}), **found}, "updated_ns": time.time_ns()}
    if before is None:
        connection.execute(sa.insert(baselines).values(room=room, task=PRESENCE, **values))
    else:
        connection.execute(sa.update(baselines).where(which).values(values))


def note_track(
    connection: sa.Connection, room: str, link: str, made_ns: int | None, track: Mapping[str, Any]
) -> None:
    """Keep how far the link has drifted; nothing happens if its baseline is another one by now."""
    which = (baselines.c.room == room) & (baselines.c.task == PRESENCE)
    document = connection.execute(sa.select(baselines.c.doc).where(which)).scalar() or {}
    one = document.get(link)
    if not isinstance(one, dict) or STALE in one or one.get("made_ns") != made_ns:
        return
    changed = {**document, link: {**one, "track": dict(track)}}
    connection.execute(sa.update(baselines).where(which).values(doc=changed))
