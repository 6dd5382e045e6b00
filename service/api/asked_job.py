"""Queueing a job for a room, if the room still stands as it did when the job was asked for."""

from collections.abc import Mapping
from typing import Any

from service.adaptation.states import JobState
from service.api.context import Context
from service.api.problems import Problem
from service.store.calibration import CalibrationStep, take_step
from service.store.jobs import Job, create_job_in
from service.store.standing import RoomErasedError, Standing, check_standing


def queue_job(
    context: Context,
    standing: Standing,
    *,
    task: str,
    kind: str,
    request: Mapping[str, Any],
    actor: str,
    refused: Mapping[str, str] | None = None,
) -> Job:
    """Queue a job, or refuse it in the same transaction, if there is a reason why.

    Raises:
        JobTaken: another job of the room and task is not over.
        PausedError: the room is paused.
        Problem: job-not-found; the room's history was erased meanwhile, and so the job would have been.
        RoomGoneError: the room was deleted meanwhile.
    """
    try:
        with context.store.write() as connection:
            check_standing(connection, standing)
            job = create_job_in(
                connection, room=standing.room, task=task, kind=kind, request=request, actor=actor
            )
            if refused is not None:
                take_step(connection, CalibrationStep(job.job, (JobState.REFUSED,), refused))
            return job
    except RoomErasedError as error:
        raise Problem("job-not-found", str(error)) from error
