"""The one numbered event log: appending to it."""

from collections.abc import Mapping

import sqlalchemy as sa

from models.prediction import JsonValue
from service.events import EventType, Severity
from service.store.schema import events

DEMO_TAG = "demo"
"""Tag of a room that the demo made: all that is ever said of it is simulated."""


def room_facts(room: str, tags: Mapping[str, str], detail: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Data of an event about the room itself; a demo room's says that it is simulated."""
    source: dict[str, JsonValue] = {"source": "simulated"} if DEMO_TAG in tags else {}
    return {"room": room, **detail, **source}


def append_event(
    connection: sa.Connection,
    kind: EventType,
    *,
    room: str | None,
    data: Mapping[str, JsonValue],
    time_ns: int,
    severity: Severity | None = None,
) -> int:
    """Append an event in the caller's write transaction; its sequence number, above all before it."""
    row = {"time_ns": time_ns, "type": kind, "room": room, "severity": severity, "data": dict(data)}
    statement = sa.insert(events).values(row).returning(events.c.sequence)
    return int(connection.execute(statement).scalar_one())
