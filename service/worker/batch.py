"""All that one turn of the worker makes durable, in one transaction."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

import sqlalchemy as sa

from models.prediction import JsonValue, Prediction
from service.events import EventType
from service.rooms.alerting.alert import AlertChange, Key
from service.rooms.memory import Memory, model_document
from service.rooms.observation import Observation
from service.store.alert_book import write_change, write_waits
from service.store.baselines import mark_stale, note_track
from service.store.calibration import CalibrationStep, take_step
from service.store.log import append_event
from service.store.pausing import end_work
from service.store.samples import Answer, settle
from service.store.schema import links, predictions, rooms, states
from service.store.versions import note_shadow

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Event:
    """An event to append, and the alert that it is about, if it is about one."""

    kind: EventType
    room: str
    data: Mapping[str, JsonValue]
    time_ns: int
    alert: AlertChange | None = None


@dataclass(slots=True)
class StateRow:
    """The newest state of one task; `sequence` is that of the event that last changed it."""

    memory: Memory
    document: Document
    sequence: int = 0


@dataclass(slots=True)
class Batch:
    """Collected by the worker, written by `write`. Nothing in it depends on the store: it can be retried."""

    predictions: list[dict[str, Any]] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    states: dict[tuple[str, str], StateRow] = field(default_factory=dict)
    cursors: dict[str, int] = field(default_factory=dict)
    transmitters: dict[str, int] = field(default_factory=dict)
    stale: dict[tuple[str, str], Document] = field(default_factory=dict)
    """Why the baseline of a room's link no longer holds."""
    shadows: dict[int, Document] = field(default_factory=dict)
    """What was seen of versions in their shadow run."""
    samples: list[Answer] = field(default_factory=list)
    """What became of labelled samples that somebody asked for."""
    calibrations: list[CalibrationStep] = field(default_factory=list)
    """How recalibrations go on."""
    settled: list[AlertChange] = field(default_factory=list)
    """Ends of alerts that people had dismissed: nobody is told."""
    waits: dict[Key, int | None] = field(default_factory=dict)
    """Since when conditions hold that are no alert yet; None: they no longer wait."""
    paused: set[str] = field(default_factory=set)
    """Rooms whose pause began: work on them ends."""
    forgotten: set[str] = field(default_factory=set)
    """Rooms whose history was erased: states that were written meanwhile go."""
    tracks: dict[tuple[str, str], tuple[int | None, Document]] = field(default_factory=dict)
    """How far links have drifted, and since which baseline."""

    def __bool__(self) -> bool:
        return any(bool(getattr(self, one.name)) for one in fields(self))

    def predict(self, room: str, observation: Observation, facts: Mapping[str, JsonValue]) -> None:
        """A prediction that was made; `facts` of its window stand beside it."""
        self.predictions.append(
            {
                "room": room,
                "task": observation.prediction.task,
                "from_ns": observation.from_ns,
                "to_ns": observation.to_ns,
                "observed_ns": observation.observed_ns,
                "doc": _document(observation.prediction) | {"source": observation.source.value, **facts},
            }
        )

    def keep(self, room: str, row: StateRow, change: Event | None) -> None:
        """The state as it is now, and the event that says so if people must hear of it."""
        self.states[room, row.memory.task] = row
        if change is not None:
            self.events.append(change)

    def forget(self, room: str) -> None:
        """Of this room nothing that was collected so far is written, and its states go."""
        self.forgotten.add(room)
        self.predictions = [row for row in self.predictions if row["room"] != room]
        self.events = [event for event in self.events if event.room != room]
        self.settled = [change for change in self.settled if change.alert.room != room]
        self.states = {key: row for key, row in self.states.items() if key[0] != room}
        self.tracks = {key: track for key, track in self.tracks.items() if key[0] != room}
        self.waits = {key: since for key, since in self.waits.items() if key.room != room}

    def append(self, event: Event) -> None:
        """An event that is not the change of a state."""
        self.events.append(event)

    def write(self, connection: sa.Connection, now_ns: int) -> int:
        """Write everything in the caller's transaction; the last event's number, 0 if there was none.

        What belongs to a room that was deleted meanwhile is left out.
        """
        there = set(connection.execute(sa.select(rooms.c.room)).scalars())
        made = [row for row in self.predictions if row["room"] in there]
        if made:
            connection.execute(sa.insert(predictions), made)
        last = self._write_events(connection, there, now_ns)
        self._write_states(connection, there, now_ns)
        if self.cursors:
            parameters = [{"name": link, "newest": newest} for link, newest in self.cursors.items()]
            update = sa.update(links).where(links.c.link == sa.bindparam("name"))
            connection.execute(update.values(last_capture_ns=sa.bindparam("newest")), parameters)
        if self.transmitters:
            parameters = [{"name": link, "mac": mac} for link, mac in self.transmitters.items()]
            update = sa.update(links).where(links.c.link == sa.bindparam("name"))
            connection.execute(update.values(transmitter=sa.bindparam("mac")), parameters)
        for (room, link), why in self.stale.items():
            mark_stale(connection, room, link, why)
        for version, seen in self.shadows.items():
            note_shadow(connection, version, seen)
        for answer in self.samples:
            settle(connection, answer)
        for room in self.paused & there:
            end_work(connection, room)
        for (room, link), (made_ns, track) in self.tracks.items():
            note_track(connection, room, link, made_ns, track)
        return max([last, *(take_step(connection, one) for one in self.calibrations)])

    def _write_events(self, connection: sa.Connection, there: set[str], now_ns: int) -> int:
        last = 0
        for change in self.settled:
            write_change(connection, change, now_ns)
        write_waits(connection, {key: since for key, since in self.waits.items() if key.room in there})
        for event in self.events:
            if event.room not in there:
                continue
            if event.alert is not None and not write_change(connection, event.alert, event.time_ns):
                continue  # people dismissed it a moment ago, and all were told
            severity = event.alert.alert.severity if event.alert else None
            last = append_event(
                connection,
                event.kind,
                room=event.room,
                data=event.data,
                time_ns=event.time_ns,
                severity=severity,
            )
            if event.kind is EventType.PREDICTION_CHANGED:
                self.states[event.room, str(event.data["task"])].sequence = last
        return last

    def _write_states(self, connection: sa.Connection, there: set[str], now_ns: int) -> None:
        if self.forgotten:
            connection.execute(sa.delete(states).where(states.c.room.in_(self.forgotten)))
        rows = [_state(room, row, now_ns) for (room, _), row in self.states.items() if room in there]
        if not rows:
            return
        which = (states.c.room == sa.bindparam("in_room")) & (states.c.task == sa.bindparam("of_task"))
        connection.execute(
            sa.delete(states).where(which), [{"in_room": r["room"], "of_task": r["task"]} for r in rows]
        )
        connection.execute(sa.insert(states), rows)


def _state(room: str, row: StateRow, now_ns: int) -> dict[str, Any]:
    return {
        "room": room,
        "task": row.memory.task,
        "sequence": row.sequence,
        "doc": row.document,
        "memory": row.memory.to_json(),
        "received_ns": row.memory.received_ns,
        "updated_ns": now_ns,
    }


def _document(prediction: Prediction) -> Document:
    return {
        **prediction.extras,
        "status": "unknown" if prediction.reason else "ok",
        "reason": prediction.reason.value if prediction.reason else None,
        "value": prediction.value,
        "probability": prediction.probability,
        "interval": list(prediction.interval) if prediction.interval else None,
        "model": model_document(prediction),
    }
