"""What tests of the store write into it: by the functions that the service uses."""

import time
from typing import Any

from drivers.wire import Source
from models.prediction import Prediction
from service.events import EventType
from service.rooms.config import RoomConfig
from service.rooms.memory import fresh
from service.rooms.observation import Observation
from service.store.engine import Store
from service.store.rooms import RoomRecord, put_room
from service.worker.batch import Batch, Event, StateRow

S = 1_000_000_000
NOW = time.time_ns()


def put(store: Store, room: str, **config: Any) -> tuple[RoomRecord, bool]:
    """Make or replace a room."""
    return put_room(store, room, RoomConfig(**config), check=lambda _: None, actor="me", nics={})


def turn(room: str, to_s: float, task: str = "presence", value: str = "vacant") -> Batch:
    """What the worker writes of one window of a room that ends at `to_s`: prediction, state, event."""
    batch, to_ns = Batch(), round(to_s * S)
    prediction = Prediction(task, value=value, probability=0.9, extras={"motion": float("nan")})
    observed = Observation(to_ns - 4 * S, to_ns, NOW, NOW, Source.LIVE, prediction)
    batch.predict(room, observed, {})
    event = Event(EventType.PREDICTION_CHANGED, room, {"room": room, "task": task, "after": value}, NOW)
    batch.keep(room, StateRow(fresh(task, NOW, "no_frames"), {"task": task, "value": value}), event)
    return batch


def write(store: Store, batch: Batch) -> int:
    """Write a turn of the worker; the number of its last event."""
    with store.write() as connection:
        return batch.write(connection, NOW)
