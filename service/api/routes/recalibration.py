"""Recalibration of a room: a job that ends in new empty-room baselines, or in heads of its samples."""

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from models.adapt import AUTO
from service.api.answers import answer, unfit
from service.api.asked_job import queue_job
from service.api.auth import Caller, Ctx, guarded
from service.api.context import Context
from service.api.documents.jobs import Job, RecalibrationBody
from service.api.problems import Problem
from service.api.routes.adaptations import KIND as ADAPTATION
from service.api.routes.adaptations import job_document
from service.api.routes.rooms import no_room
from service.rooms.config import Name
from service.store import jobs as held
from service.store.baselines import PRESENCE
from service.store.calibration import KIND
from service.store.keys import Role
from service.store.rooms import get_room
from service.store.samples import accepted_samples
from service.store.standing import Standing, standing_of

router = APIRouter(tags=["adaptation"])


@router.post("/v1/admin/rooms/{room}/recalibrate", status_code=202, response_model=Job, **guarded(Role.ADMIN))
def recalibrate(room: Name, body: RecalibrationBody, context: Ctx, caller: Caller) -> Response:
    """Look at the empty room anew, or learn again from its samples: a job that says how it goes.

    Mode `empty`: the worker waits `start_delay_s`, looks for `duration_s` and a further minute that is held
    out, and refuses where anybody is seen. The old baseline serves until the new one has passed. Mode
    `labelled` starts an adaptation of every task that has samples; the answer is the first, `jobs` names all.
    With `dry_run` nothing is replaced: the job ends as refused for `dry_run` and says what would have been.
    """
    standing, found = standing_of(context.store, room), get_room(context.store, room)
    if standing is None or found is None:
        raise no_room(room)
    if body.mode == "labelled":
        document = _from_samples(context, standing, found.config.tasks, caller, dry_run=body.dry_run)
    elif PRESENCE not in found.config.tasks:
        raise unfit("mode", f"room {room} does not run {PRESENCE!r}, which the baseline serves")
    else:
        document = job_document(_create(context, standing, body.model_dump(), caller))
    context.line.publish("jobs", {})
    return answer(document, 202, {"Location": f"/v1/jobs/{document['job']}"})


def _from_samples(
    context: Context, standing: Standing, tasks: list[str], caller: Caller, *, dry_run: bool
) -> dict[str, Any]:
    """Adaptations of all tasks that have samples; without any, or in a dry run, a job that says so."""
    room = standing.room
    ready = [task for task in tasks if accepted_samples(context.store, room, task)]
    if not ready:
        why = {"reason": "insufficient_evidence", "detail": "the room has no accepted samples"}
        return _ended(context, standing, why, caller, dry_run=dry_run)
    if dry_run:
        detail = f"adaptations would start for {', '.join(ready)}"
        return _ended(context, standing, {"reason": "dry_run", "detail": detail}, caller, dry_run=True)
    request = {"method": AUTO, "shadow_s": context.settings.adaptation.shadow_s, "force": False}
    started, taken = [], {}
    for task in ready:
        try:
            started.append(
                queue_job(context, standing, task=task, kind=ADAPTATION, request=request, actor=caller.actor)
            )
        except held.JobTaken as other:
            taken[task] = str(other)
    if not started:
        raise _taken(room, next(iter(taken.values())))
    named = [{"task": job.task, "job": job.job} for job in started]
    return {**job_document(started[0]), "jobs": named, "jobs_taken": taken}


def _ended(
    context: Context, standing: Standing, why: dict[str, str], caller: Caller, *, dry_run: bool
) -> dict[str, Any]:
    """A recalibration from samples that is over before it began: nobody ever sees it queued."""
    job = _create(context, standing, {"mode": "labelled", "dry_run": dry_run}, caller, why)
    context.hub.wake()
    return job_document(held.get_job(context.store, job.job) or job)


def _create(
    context: Context,
    standing: Standing,
    request: dict[str, Any],
    caller: Caller,
    why: dict[str, str] | None = None,
) -> held.Job:
    """Queue a recalibration, or refuse it in the same transaction, if there is a reason why.

    Raises:
        Problem: another job of the room is not over.
    """
    try:
        return queue_job(
            context, standing, task=PRESENCE, kind=KIND, request=request, actor=caller.actor, refused=why
        )
    except held.JobTaken as taken:
        raise _taken(standing.room, str(taken)) from taken


def _taken(room: str, job: str) -> Problem:
    return Problem("job-taken", f"job {job} of room {room} is not over", {"job": job})
