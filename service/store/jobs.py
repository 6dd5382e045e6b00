"""Jobs: what was asked, where it stands. A step is one transaction, and an illegal one changes nothing."""

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from service.adaptation.states import IllegalStepError, JobState, check_step
from service.store.audit import record
from service.store.engine import Store
from service.store.pauses import check_not_paused
from service.store.schema import jobs

OPEN = tuple(state.value for state in JobState if not state.over)
_TRIES = 3
"""A job that took its process down this often is failed, not tried again."""


@dataclass(frozen=True, slots=True)
class Job:
    """A job as the store holds it; `doc` holds progress, metrics, and the reason of its end."""

    job: str
    room: str
    task: str
    kind: str
    state: JobState
    request: dict[str, Any]
    doc: dict[str, Any]
    attempts: int
    actor: str
    created_ns: int
    updated_ns: int


class JobTaken(Exception):  # noqa: N818 - it is no error of the program
    """Another job of this room and task is not over yet; its id is the argument."""


def create_job(
    store: Store, *, room: str, task: str, kind: str, request: Mapping[str, Any], actor: str
) -> Job:
    """Queue a job.

    Raises:
        JobTaken: one of this room and task is not over yet.
        PausedError: the room is paused.
    """
    with store.write() as connection:
        return create_job_in(connection, room=room, task=task, kind=kind, request=request, actor=actor)


def create_job_in(
    connection: sa.Connection, *, room: str, task: str, kind: str, request: Mapping[str, Any], actor: str
) -> Job:
    """As `create_job`, in the caller's write transaction.

    Raises:
        JobTaken: one of this room and task is not over yet.
        PausedError: the room is paused.
    """
    check_not_paused(connection, room)
    _check_free(connection, room, task)
    now = time.time_ns()
    row: dict[str, Any] = {
        "job": f"job-{uuid.uuid4().hex[:16]}",
        "room": room,
        "task": task,
        "kind": kind,
        "state": JobState.QUEUED.value,
        "request": dict(request),
        "doc": {"progress": 0.0},
        "attempts": 0,
        "actor": actor,
        "created_ns": now,
        "updated_ns": now,
    }
    connection.execute(sa.insert(jobs).values(row))
    detail = {"job": row["job"], **request}
    record(connection, actor=actor, action=f"{kind}.asked", target=room, detail=detail)
    return _job(row)


def get_job(store: Store, job: str) -> Job | None:
    """The job of that id."""
    with store.read() as connection:
        row = connection.execute(sa.select(jobs).where(jobs.c.job == job)).mappings().first()
    return None if row is None else _job(row)


def list_jobs(store: Store, *, states: Sequence[str] = OPEN, kind: str | None = None) -> list[Job]:
    """Jobs in these states, oldest first."""
    query = sa.select(jobs).where(jobs.c.state.in_(states)).order_by(jobs.c.created_ns, jobs.c.job)
    if kind is not None:
        query = query.where(jobs.c.kind == kind)
    with store.read() as connection:
        return [_job(row) for row in connection.execute(query).mappings()]


def step(
    connection: sa.Connection, job: str, after: JobState, facts: Mapping[str, Any] | None = None
) -> Job | None:
    """Bring the job into a state, in the caller's write transaction; None if it is no more.

    Raises:
        IllegalStepError: it may not go there from where it is (somebody cancelled it, say).
    """
    row = connection.execute(sa.select(jobs).where(jobs.c.job == job)).mappings().first()
    if row is None:
        return None
    check_step(JobState(row["state"]), after)
    changed = {
        "state": after.value,
        "doc": {**row["doc"], **(facts or {})},
        "attempts": row["attempts"] + (after is JobState.RUNNING),
        "updated_ns": time.time_ns(),
    }
    connection.execute(sa.update(jobs).where(jobs.c.job == job).values(changed))
    return _job({**dict(row), **changed})


def note(store: Store, job: str, facts: Mapping[str, Any]) -> JobState | None:
    """Add facts (progress, ETA) to a job that is not over; its state now, None if it is no more."""
    with store.write() as connection:
        return note_in(connection, job, facts)


def note_in(connection: sa.Connection, job: str, facts: Mapping[str, Any]) -> JobState | None:
    """As `note`, in the caller's write transaction."""
    row = connection.execute(sa.select(jobs).where(jobs.c.job == job)).mappings().first()
    if row is None:
        return None
    state = JobState(row["state"])
    if not state.over:
        changed = {"doc": {**row["doc"], **facts}, "updated_ns": time.time_ns()}
        connection.execute(sa.update(jobs).where(jobs.c.job == job).values(changed))
    return state


def requeue_broken(store: Store, kind: str) -> list[Job]:
    """Jobs whose process died half way: queued again, or failed when that happened too often."""
    return _bring_back(store, kind, _again_or_failed)


def give_back(store: Store, kind: str) -> list[Job]:
    """Jobs whose process stops because it was told to: queued again, and that try does not count."""
    return _bring_back(store, kind, _again_uncounted)


def _check_free(connection: sa.Connection, room: str, task: str) -> None:
    """See that every job of this room and task is over.

    Raises:
        JobTaken: one is not.
    """
    mine = (jobs.c.room == room) & (jobs.c.task == task) & jobs.c.state.in_(OPEN)
    other = connection.execute(sa.select(jobs.c.job).where(mine)).scalar()
    if other is not None:
        raise JobTaken(other)


def _bring_back(store: Store, kind: str, bring: Callable[[sa.Connection, Job], Job | None]) -> list[Job]:
    """Each job that runs, brought where it belongs; those that were."""
    changed = []
    for job in list_jobs(store, states=[JobState.RUNNING.value, JobState.EVALUATING.value], kind=kind):
        try:
            with store.write() as connection:
                found = bring(connection, job)
        except IllegalStepError:  # somebody cancelled it since it was listed
            continue
        changed += [found] if found else []
    return changed


def _again_or_failed(connection: sa.Connection, job: Job) -> Job | None:
    if job.attempts < _TRIES:
        return step(connection, job.job, JobState.QUEUED, {"progress": 0.0})
    reason = f"the process died {job.attempts} times while it ran this job"
    return step(connection, job.job, JobState.FAILED, {"reason": "crashed", "detail": reason})


def _again_uncounted(connection: sa.Connection, job: Job) -> Job | None:
    found = step(connection, job.job, JobState.QUEUED, {"progress": 0.0})
    if found is None:
        return None
    attempts = found.attempts - 1
    connection.execute(sa.update(jobs).where(jobs.c.job == job.job).values(attempts=attempts))
    return replace(found, attempts=attempts)


def _job(row: Mapping[str, Any] | sa.RowMapping) -> Job:
    values = {name: row[name] for name in Job.__slots__ if name != "state"}
    return Job(state=JobState(row["state"]), **values)
