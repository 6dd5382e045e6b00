"""Adaptation: jobs that give a room a head of its own, and the versions that come out."""

from collections.abc import Collection
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from starlette.responses import Response

from models.adapt import AUTO, SHIPPED, available, tier_of
from models.bare import bare
from models.zoo import CardError
from service.adaptation.states import IllegalStepError, JobState
from service.api.answers import answer, page, tagged_page, unfit
from service.api.asked_job import queue_job
from service.api.auth import Caller, Ctx, guarded
from service.api.context import Context
from service.api.documents.jobs import AdaptationBody, Job, MethodList, Rollback, RoomVersion, RoomVersionPage
from service.api.problems import Problem
from service.api.routes.rooms import announce_rooms, no_room
from service.rooms.config import Name
from service.state import rfc3339
from service.store import jobs as held
from service.store.audit import change, record
from service.store.by_hand import activate_by_hand, roll_back_by_hand
from service.store.keys import Role
from service.store.rooms import get_room
from service.store.standing import standing_of
from service.store.versions import Backbone, Version, get_version, list_versions, refuse

router = APIRouter(tags=["adaptation"])
KIND = "adaptation"
_SOMETIMES = (
    "left_out_samples",
    "judged_on",
    "forced",
    "ready_at",
    "source",
    "calibrated_links",
    "links_without_enough_frames",
    "links_roamed",
)
JobId = Annotated[str, Path(max_length=64)]
VersionNumber = Annotated[int, Path(ge=1, le=2**53)]
TaskQuery = Annotated[str | None, Query(max_length=64, description="Only versions of this task.")]


@router.get("/v1/adaptation-methods", response_model=MethodList, **guarded(Role.VIEWER))
def read_methods() -> Response:
    """Methods that can run here; those of the tier `deep` need torch beside the trainer."""
    return page([{"name": name, "tier": tier_of(name)} for name in available()], None)


@router.post("/v1/rooms/{room}/adaptations", status_code=202, response_model=Job, **guarded(Role.OPERATOR))
def start_adaptation(room: Name, body: AdaptationBody, context: Ctx, caller: Caller) -> Response:
    """Learn the room from its accepted samples: a job, which ends in a better head or says why not."""
    standing, found = standing_of(context.store, room), get_room(context.store, room)
    if standing is None or found is None:
        raise no_room(room)
    if body.task not in found.config.tasks:
        raise unfit("task", f"room {room} does not run {body.task!r}, but {', '.join(found.config.tasks)}")
    if body.method not in {AUTO, SHIPPED, *available()}:
        there = ", ".join((AUTO, SHIPPED, *available()))
        raise unfit("method", f"no method {body.method!r} here; there are {there}")
    if body.force and not caller.role.includes(Role.ADMIN):
        raise Problem("forbidden", "only an admin may activate without evidence (`force`)")
    shadow_s = context.settings.adaptation.shadow_s if body.shadow_s is None else body.shadow_s
    request = {"method": body.method, "shadow_s": shadow_s, "force": body.force}
    try:
        job = queue_job(context, standing, task=body.task, kind=KIND, request=request, actor=caller.actor)
    except held.JobTaken as taken:
        raise Problem(
            "job-taken", f"job {taken} of {room}/{body.task} is not over", {"job": str(taken)}
        ) from taken
    return answer(job_document(job), 202, {"Location": f"/v1/jobs/{job.job}"})


@router.get("/v1/jobs/{job}", response_model=Job, **guarded(Role.OPERATOR))
def read_job(job: JobId, context: Ctx, caller: Caller) -> Response:
    """Where a job stands."""
    return answer(job_document(_job(context, caller, job)))


@router.post("/v1/jobs/{job}/cancel", response_model=Job, **guarded(Role.OPERATOR))
def cancel_job(job: JobId, context: Ctx, caller: Caller) -> Response:
    """End a job; nothing of it is activated."""
    found = _job(context, caller, job)
    try:
        with context.store.write() as connection:
            done = held.step(
                connection, found.job, JobState.CANCELLED, {"reason": "cancelled", "eta_s": None}
            )
            if done is not None and "version" in done.doc:
                refuse(connection, done.doc["version"])
            record(
                connection,
                actor=caller.actor,
                action="job.cancelled",
                target=found.room,
                detail={"job": job, **change({"state": found.state.value}, {"state": "cancelled"})},
            )
    except IllegalStepError as error:
        raise Problem("illegal-step", str(error)) from error
    announce_rooms(context)
    return answer(job_document(done or found))


@router.get("/v1/rooms/{room}/models", response_model=RoomVersionPage, **guarded(Role.VIEWER))
def read_versions(room: Name, request: Request, context: Ctx, task: TaskQuery = None) -> Response:
    """Versions of the room's own heads, newest first."""
    if get_room(context.store, room) is None:
        raise no_room(room)
    return tagged_page(request, [version_document(one) for one in list_versions(context.store, room, task)])


@router.post("/v1/rooms/{room}/models/{version}/activate", response_model=RoomVersion, **guarded(Role.ADMIN))
def activate_version(room: Name, version: VersionNumber, context: Ctx, caller: Caller) -> Response:
    """Serve this version from the next window on, whatever the gate said of it.

    A shadow run of the room and task ends: the version's own well, that of another is cancelled.
    """
    missing = Problem("version-not-found", f"room {room} has no version {version}")
    found = get_version(context.store, version)
    if found is None or found.room != room:
        raise missing
    _see_backbone(context, found)
    with context.store.write() as connection:
        if activate_by_hand(connection, version, actor=caller.actor) is None:
            raise missing
    announce_rooms(context)
    now = get_version(context.store, version)
    return answer(version_document(now or found))


@router.post("/v1/rooms/{room}/models/rollback", response_model=Rollback, **guarded(Role.ADMIN))
def roll_back_version(
    room: Name, context: Ctx, caller: Caller, task: Annotated[str, Query(max_length=64)]
) -> Response:
    """Go back to what served before the active version came to serve, again and again down to no version.

    Versions whose model is not there are passed over (`skipped`), and are next to go back to when it is there
    again. A shadow run of the room and task is cancelled.
    """
    if get_room(context.store, room) is None:
        raise no_room(room)
    there = _backbones(context, task)
    with context.store.write() as connection:
        done = roll_back_by_hand(connection, room, task, actor=caller.actor, there=there)
    if done is None:
        raise Problem("nothing-to-roll-back", f"room {room} has no active version of {task}")
    announce_rooms(context)
    return answer(done._asdict())


def job_document(job: held.Job) -> dict[str, Any]:
    """A job as the API shows it."""
    doc = job.doc
    known = ("eta_s", "at", "version", "provisional", "method", "metrics", "candidates", "shadow")
    return {
        "job": job.job,
        "room": job.room,
        "task": job.task,
        "kind": job.kind,
        "state": job.state.value,
        "over": job.state.over,
        "request": job.request,
        "progress": doc.get("progress", 0.0),
        **{name: doc.get(name) for name in (*known, "reason", "detail")},
        **{name: doc[name] for name in _SOMETIMES if name in doc},
        "actor": job.actor,
        "created_at": rfc3339(job.created_ns),
        "updated_at": rfc3339(job.updated_ns),
    }


def version_document(version: Version) -> dict[str, Any]:
    """A version as the API shows it."""
    return {
        "version": version.version,
        "task": version.task,
        "state": version.state,
        "provisional": version.provisional,
        "model": version.model,
        "method": version.method,
        "digest": version.digest,
        "classes": version.doc.get("classes", []),
        "metrics": version.doc.get("metrics"),
        "shadow": version.shadow,
        "job": version.job,
        "created_at": rfc3339(version.created_ns),
        "activated_at": rfc3339(version.activated_ns) if version.activated_ns else None,
    }


def _backbones(context: Context, task: str) -> Collection[Backbone] | None:
    """The models that heads of this task can stand on; None if the shelves cannot be read.

    Then nothing is known against any head: the worker serves with what it read before.
    """
    try:
        cards = context.cards()
    except (CardError, OSError):
        return None
    return {(card.name, card.digest) for card in (*cards, bare(task).card)}


def _see_backbone(context: Context, version: Version) -> None:
    """See that the version would be served: without its model the room has no answer for the task."""
    there = _backbones(context, version.task)
    if there is not None and version.backbone not in there:
        name, digest = version.backbone
        raise Problem(
            "model-missing",
            f"version {version.version} stands on model {name!r} with digest {digest[:12]}…, and none of the "
            f"shelves {', '.join(context.settings.models.shelves)} holds it",
            {"model": name, "model_digest": digest},
        )


def _job(context: Ctx, caller: Caller, job: str) -> held.Job:
    """The job, if the key covers its room: of others nobody learns that they exist."""
    found = held.get_job(context.store, job)
    if found is None or not caller.sees(found.room):
        raise Problem("job-not-found", f"no job {job!r}")
    return found
