"""Erasure and export of a room on both databases."""

import json

import sqlalchemy as sa

from service.events import EventType
from service.rooms.config import RoomConfig
from service.store.engine import Store
from service.store.erasing import Range, erase
from service.store.log import append_event
from service.store.room_export import export_room
from service.store.rooms import put_room
from service.store.schema import events, predictions

S = 10**9


def test_erasing_blanks_events_and_takes_a_range_of_windows(store: Store) -> None:
    put_room(store, "lab", RoomConfig(), check=lambda _: None, actor="test", nics={})
    with store.write() as connection:
        for end in range(1, 301):
            row = {"room": "lab", "task": "presence", "from_ns": (end - 1) * S, "to_ns": end * S, "doc": {}}
            connection.execute(sa.insert(predictions).values(observed_ns=end * S, **row))
        for source in ("live", "simulated"):
            data = {"source": source, "after": "MARK"}
            append_event(connection, EventType.PREDICTION_CHANGED, room="lab", data=data, time_ns=5 * S)
    told = [json.loads(line) for line in export_room(store, "lab")]
    assert told[-1]["rows"]["predictions"] == 300
    assert len({line["row"]["to_ns"] for line in told[1:-1] if line["table"] == "predictions"}) == 300
    gone = erase(store, "lab", Range(0, 100 * S), actor="test")
    assert gone is not None
    assert (gone["predictions"], gone["events"]) == (100, 2)
    with store.read() as connection:
        kept = connection.execute(sa.select(predictions.c.to_ns)).scalars().all()
        blank = connection.execute(
            sa.select(events.c.data).where(events.c.type == EventType.ROOM_ERASED).order_by(events.c.sequence)
        )
        assert blank.scalars().all() == [
            {"room": "lab", "source": "live"},
            {"room": "lab", "source": "simulated"},
        ]
    assert min(kept) == 101 * S
    assert erase(store, "none", Range(), actor="test") is None
