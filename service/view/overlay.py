"""States as they are told: what the store holds, unless nobody can know that any more."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from models.prediction import Reason
from service.state import Status, TaskState, rfc3339
from service.store.states import RoomStates, StoredState


@dataclass(frozen=True, slots=True)
class Now:
    """What the moment of reading knows: host time, the worker's health, newest frame of each room."""

    time_ns: int
    worker_up: bool
    worker_last_ns: int
    received_ns: Mapping[str, int]


def told_states(room: RoomStates, now: Now) -> list[dict[str, Any]]:
    """One state for every task of the room; never a value that rests on missing data."""
    return [_told(task, room, now) for task in room.record.config.tasks]


def _told(task: str, room: RoomStates, now: Now) -> dict[str, Any]:
    stored = room.stored.get(task)
    received = max((stored.received_ns or 0) if stored else 0, now.received_ns.get(room.record.room, 0))
    stale_ns = received + round(room.record.config.stale_after_s * 1e9)
    stale_after = rfc3339(stale_ns) if received else None
    if stored is not None and stored.doc.get("status") == Status.PAUSED:
        return {**stored.doc, "stale_after": stale_after}
    if not now.worker_up:
        return _unknown(task, stored, Reason.WORKER_DOWN, now.worker_last_ns, stale_after)
    if stored is None or not received:
        return _unknown(task, stored, Reason.NO_FRAMES, room.record.created_ns, stale_after)
    if now.time_ns > stale_ns:
        return _unknown(task, stored, Reason.STALE, stale_ns, stale_after)
    return {**stored.doc, "stale_after": stale_after}


def _unknown(
    task: str, stored: StoredState | None, reason: Reason, since_ns: int, stale_after: str | None
) -> dict[str, Any]:
    """The state without its value; what was last known stays, marked as such."""
    doc = stored.doc if stored else {}
    known = doc.get("status") == Status.OK
    last = {name: doc.get(name) for name in ("value", "probability", "interval", "observed_at")}
    extras = {name: None for name in doc if name not in TaskState.model_fields}
    return {
        **extras,
        "task": task,
        "status": Status.UNKNOWN.value,
        "reason": reason.value,
        "value": None,
        "probability": None,
        "interval": None,
        # A state that was unknown before stays unknown since then, whatever the reason is now.
        "since": doc["since"] if doc and not known else rfc3339(since_ns),
        "observed_at": doc.get("observed_at"),
        "window": doc.get("window"),
        "stale_after": stale_after,
        "last_known": last if known else doc.get("last_known"),
        "model": doc.get("model"),
        "source": doc.get("source"),
    }
