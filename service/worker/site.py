"""What the worker reads of the store: rooms and links (again whenever they change), and where it left off."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from models.prediction import JsonValue
from service.rooms.config import RoomConfig
from service.rooms.memory import Memory
from service.store.engine import Store
from service.store.rooms import select_rooms
from service.store.schema import baselines, links, predictions, states
from service.worker.batch import StateRow

ASSIGNED_BY = "assigned_by"
BY_HEADER = "header"
"""In a link's document: its sender's header chose the room, and may choose another one."""


@dataclass(frozen=True, slots=True)
class LinkPlace:
    """Where a link belongs, the newest capture time processed, and the transmitter followed (0: unknown)."""

    room: str | None
    by_header: bool
    last_capture_ns: int | None
    transmitter: int = 0


@dataclass(frozen=True, slots=True)
class Layout:
    """Rooms and links as configured."""

    rooms: Mapping[str, RoomConfig] = field(default_factory=dict)
    links: Mapping[str, LinkPlace] = field(default_factory=dict)
    baselines: Mapping[str, Mapping[str, JsonValue]] = field(default_factory=dict)
    """Empty-room baselines of a room, by link."""


def read_layout(store: Store) -> Layout:
    """Rooms and links at one moment of the store."""
    with store.read() as connection:
        return Layout(
            rooms={record.room: record.config for record in select_rooms(connection)},
            links={row.link: _place(row) for row in connection.execute(sa.select(links))},
            baselines={
                row.room: row.doc
                for row in connection.execute(sa.select(baselines).where(baselines.c.task == "presence"))
            },
        )


def read_rows(store: Store, room: str) -> tuple[dict[str, StateRow], int | None]:
    """States of a room by task, and the end of its newest predicted window."""
    newest = sa.select(sa.func.max(predictions.c.to_ns)).where(predictions.c.room == room)
    with store.read() as connection:
        rows = connection.execute(sa.select(states).where(states.c.room == room)).mappings()
        stored = {
            row["task"]: StateRow(Memory.from_json(row["memory"]), row["doc"], row["sequence"])
            for row in rows
        }
        return stored, connection.execute(newest).scalar()


def _place(row: "sa.Row[Any]") -> LinkPlace:
    by_header = (row.doc or {}).get(ASSIGNED_BY) == BY_HEADER
    return LinkPlace(row.room, by_header, row.last_capture_ns, row.transmitter or 0)
