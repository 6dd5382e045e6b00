"""Empty-room baselines, by link: which of them still hold."""

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
