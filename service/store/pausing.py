"""Pausing and resuming a room, and what ends with the beginning of a pause."""

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from models.prediction import JsonValue
from service.adaptation.states import JobState
from service.rooms.pause import PAUSED, Pause
from service.state import rfc3339
from service.store.audit import record
from service.store.engine import Store
from service.store.jobs import OPEN, step
from service.store.pauses import select_pause
from service.store.samples import EXPIRED, PENDING, Answer, settle
from service.store.schema import jobs, pauses, rooms, samples
from service.store.versions import refuse

Change = Callable[[Pause, int], Pause]
"""Makes the new pause of the one before and the host time."""


def change_pause(store: Store, room: str, change: Change, *, actor: str, action: str) -> Pause | None:
    """Change what is said about pausing the room, audited as `action`; None if there is no such room.

    Work on the room ends in the same transaction if it is paused now.
    """
    with store.write() as connection:
        now = time.time_ns()
        if connection.execute(sa.select(rooms.c.room).where(rooms.c.room == room)).first() is None:
            return None
        before = select_pause(connection, room)
        after = change(before, now)
        connection.execute(sa.delete(pauses).where(pauses.c.room == room))
        connection.execute(sa.insert(pauses).values(room=room, actor=actor, updated_ns=now, **_row(after)))
        detail: dict[str, JsonValue] = {"before": _told(before), "after": _told(after)}
        record(connection, actor=actor, action=action, target=room, detail=detail)
        if after.at(now) is not None:
            end_work(connection, room)
    return after


def resumed(before: Pause, now_ns: int, *, keep_schedule: bool = True) -> Pause:
    """The pause after somebody ended it: a schedule that is kept goes on with its next time."""
    schedule = before.schedule if keep_schedule else None
    return replace(before, from_ns=None, until_ns=None, schedule=schedule, resumed_ns=now_ns)


def end_work(connection: sa.Connection, room: str) -> None:
    """Cancel the room's jobs, and give up samples that wait, in the caller's transaction."""
    under_way = sa.select(jobs.c.job).where((jobs.c.room == room) & jobs.c.state.in_(OPEN))
    for job in connection.execute(under_way).scalars().all():
        why = {"reason": PAUSED, "detail": "the room was paused", "eta_s": None}
        done = step(connection, job, JobState.CANCELLED, why)
        if done is not None and "version" in done.doc:
            refuse(connection, done.doc["version"])
    waiting = sa.select(samples.c.sample).where((samples.c.room == room) & (samples.c.state == PENDING))
    for sample in connection.execute(waiting).scalars().all():
        settle(connection, Answer(sample, EXPIRED, {"accepted": False, "reasons": [PAUSED]}))


def _row(pause: Pause) -> dict[str, Any]:
    return {
        "from_ns": pause.from_ns,
        "until_ns": pause.until_ns,
        "schedule": None if pause.schedule is None else pause.schedule.model_dump(),
        "resumed_ns": pause.resumed_ns,
    }


def _told(pause: Pause) -> dict[str, JsonValue]:
    """The pause as the audit log has it."""
    return {
        "from": None if pause.from_ns is None else rfc3339(pause.from_ns),
        "until": None if pause.until_ns is None else rfc3339(pause.until_ns),
        "schedule": None if pause.schedule is None else pause.schedule.model_dump(),
    }
