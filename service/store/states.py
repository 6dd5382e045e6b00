"""Reading the retained truth: states of rooms at one moment of the store."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from service.store.by_room import ByRoom
from service.store.engine import Store
from service.store.rooms import RoomRecord, select_rooms
from service.store.schema import states

_STATES = ByRoom(
    sa.select(states.c.room, states.c.task, states.c.doc, states.c.sequence, states.c.received_ns),
    states.c.room,
)


@dataclass(frozen=True, slots=True)
class StoredState:
    """One task's row: the document, its last event, and when its newest frame was received (host time)."""

    doc: dict[str, Any]
    sequence: int
    received_ns: int | None


@dataclass(frozen=True, slots=True)
class RoomStates:
    """A room and the states stored for it, by task."""

    record: RoomRecord
    stored: Mapping[str, StoredState]

    @property
    def sequence(self) -> int:
        """Number of the event that last changed one of them; 0 before the first."""
        return max((state.sequence for state in self.stored.values()), default=0)


def read_states(store: Store, *, only: str | None = None) -> list[RoomStates]:
    """Every room (or the one named `only`) with its states."""
    with store.read() as connection:
        return select_states(connection, only=only)


def select_states(connection: sa.Connection, *, only: str | None = None) -> list[RoomStates]:
    """As `read_states`, in the caller's transaction."""
    found: dict[str, dict[str, StoredState]] = {}
    for row in _STATES.run(connection, only):
        found.setdefault(row.room, {})[row.task] = StoredState(row.doc, row.sequence, row.received_ns)
    return [RoomStates(record, found.get(record.room, {})) for record in select_rooms(connection, only=only)]
