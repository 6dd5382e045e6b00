"""What becomes of a recalibration: each step in the caller's transaction, the last one with the baseline."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from models.prediction import JsonValue
from service.adaptation.states import IllegalStepError, JobState
from service.events import EventType
from service.store.audit import record
from service.store.baselines import replace_baselines
from service.store.jobs import note_in, step
from service.store.log import append_event

KIND = "recalibration"


@dataclass(frozen=True, slots=True)
class CalibrationStep:
    """A job goes on (`states` in turn; none: only `facts` are noted), and may bring baselines by link."""

    job: str
    states: tuple[JobState, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    baselines: Mapping[str, Any] = field(default_factory=dict)


def take_step(connection: sa.Connection, asked: CalibrationStep) -> int:
    """Write one step; the number of the event that tells of the job's end, 0 for none.

    A job that was cancelled meanwhile, or is no more, stays as it is, and so do the room's baselines.
    """
    if not asked.states:
        note_in(connection, asked.job, asked.facts)
        return 0
    job = None
    try:
        for state in asked.states:
            job = step(connection, asked.job, state, asked.facts)
    except IllegalStepError:
        return 0
    if job is None or not job.state.over:
        return 0
    if job.state is JobState.ACTIVATED:
        replace_baselines(connection, job.room, asked.baselines)
    told = {name: job.doc.get(name) for name in ("reason", "source") if job.doc.get(name) is not None}
    links: list[JsonValue] = [*sorted(asked.baselines)]
    detail: dict[str, JsonValue] = {"job": job.job, "state": job.state.value, "links": links, **told}
    record(connection, actor=job.actor, action=f"{KIND}.{job.state.value}", target=job.room, detail=detail)
    data: dict[str, JsonValue] = {"room": job.room, "task": job.task, **detail, "actor": job.actor}
    return append_event(
        connection, EventType.RECALIBRATION_ENDED, room=job.room, data=data, time_ns=time.time_ns()
    )
