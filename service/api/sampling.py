"""Having a sample taken: by the worker, out of what it remembers, or here, out of an uploaded capture."""

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import BinaryIO

import anyio
import anyio.to_thread

from models.signal.window import WindowSpec
from service.adaptation.upload import Taken, UploadError, Wanted, read_upload
from service.adaptation.verdict import Labelled, judge
from service.api.context import Context
from service.api.documents.samples import SampleForm
from service.api.problems import Problem
from service.rooms.pause import PAUSED
from service.store.baselines import of_kind, read_fresh
from service.store.idempotency import KeyReusedError, Once
from service.store.samples import (
    ACCEPTED,
    EXPIRED,
    PENDING,
    REJECTED,
    UPLOAD,
    Answer,
    Asked,
    Sample,
    accepted_samples,
    add,
    ask,
    expire,
    get_sample,
    labelled,
)
from service.store.standing import RoomErasedError

WAIT_S = 5.0
"""How long the worker may take to answer."""
_LOOK_S = 0.05
_SIMULATED, _WORKER_DOWN = "simulated", "worker_down"
_uploads = anyio.CapacityLimiter(1)
"""Captures are parsed one after the other, so that whoever uploads many leaves time for everybody else."""


def window_spec(context: Context) -> WindowSpec:
    """How the site cuts windows."""
    window = context.settings.window
    return WindowSpec(window.length_s, window.hop_s, window.lateness_s)


async def take_live(context: Context, asked: Asked, once: Once | None) -> Sample:
    """Ask the worker for a sample and wait for its answer.

    Raises:
        Problem: worker-down, span-not-held, or what `made_once` raises.
    """
    sample = await anyio.to_thread.run_sync(made_once, partial(ask, context.store, asked, once))
    context.line.publish("samples", {})
    deadline = time.monotonic() + WAIT_S
    while sample.state == PENDING and time.monotonic() < deadline:
        await anyio.sleep(_LOOK_S)
        sample = await anyio.to_thread.run_sync(_look, context, sample)
    if sample.state == PENDING:
        await anyio.to_thread.run_sync(expire, context.store, sample.sample, _WORKER_DOWN)
        sample = await anyio.to_thread.run_sync(_look, context, sample)
    if sample.state == EXPIRED:
        raise _not_taken(sample)
    return sample


async def take_upload(
    context: Context, asked: Asked, fields: SampleForm, file: BinaryIO, once: Once | None
) -> Sample:
    """Make a sample of an uploaded capture; `asked.from_ns` and `to_ns` are of no account.

    Raises:
        Problem: upload-unusable, or what `made_once` raises.
    """
    work = partial(_read_and_add, context, asked, fields, file, once)
    return await anyio.to_thread.run_sync(made_once, work, limiter=_uploads)


def made_once(make: Callable[[], Sample]) -> Sample:
    """The sample, new or made before under the same key.

    Raises:
        Problem: idempotency-key-reused, or sample-not-found: it was deleted since, or the room was erased.
        RoomGoneError: the room was deleted meanwhile.
    """
    try:
        return make()
    except KeyReusedError as error:
        raise Problem(
            "idempotency-key-reused", "this Idempotency-Key was used for another request"
        ) from error
    except LookupError as error:
        raise Problem("sample-not-found", f"this request made {error}, which was deleted since") from error
    except RoomErasedError as error:
        raise Problem("sample-not-found", str(error)) from error


def _look(context: Context, sample: Sample) -> Sample:
    found = get_sample(context.store, sample.sample)
    if found is None:
        raise Problem("sample-not-found", f"{sample.sample} was deleted before it was answered")
    return found


def _not_taken(sample: Sample) -> Problem:
    if sample.verdict["reasons"] == [PAUSED]:
        return Problem("room-paused", f"room {sample.room} was paused before the sample was taken")
    if sample.verdict["reasons"] == [_WORKER_DOWN]:
        return Problem("worker-down", f"no answer within {WAIT_S:g} s; nothing was taken")
    if "held" not in sample.verdict:
        return Problem("internal", "the span cannot be judged, nothing was taken; the worker's log says why")
    held = sample.verdict["held"]
    there = f"from {held['from']} to {held['to']}" if held else "nothing"
    return Problem("span-not-held", f"of room {sample.room} is held: {there}", {"held": held})


def _read_and_add(
    context: Context, asked: Asked, fields: SampleForm, file: BinaryIO, once: Once | None
) -> Sample:
    wanted = Wanted(fields.link, fields.nic, fields.start_s, fields.end_s)
    try:
        taken = read_upload(file, wanted, window_spec(context), time.time_ns())
    except UploadError as error:
        raise Problem("upload-unusable", str(error), {"counts": dict(error.counts)}) from error
    answer = _judged(context, asked, taken, _SIMULATED if fields.simulated else UPLOAD)
    span = replace(asked, from_ns=taken.clip.start_ns, to_ns=taken.clip.end_ns)
    return add(context.store, span, answer, once)


def _judged(context: Context, asked: Asked, taken: Taken, origin: str) -> Answer:
    from_s, to_s = float(str(taken.file["from_s"])), float(str(taken.file["to_s"]))
    said = Labelled(
        asked.task,
        asked.label,
        round(from_s * 1e9),
        round(to_s * 1e9),
        str(taken.file["sha256"]),
        taken.frames,
    )
    earlier = [labelled(one) for one in accepted_samples(context.store, asked.room, asked.task)]
    known = of_kind(read_fresh(context.store, asked.room), simulated=origin == _SIMULATED)
    verdict = judge(taken.clip, said, window_spec(context), earlier, known)
    told = verdict.to_json() | {"file": dict(taken.file), "counts": dict(taken.counts)}
    windows = taken.clip.pack() if verdict.accepted else None
    return Answer("", ACCEPTED if verdict.accepted else REJECTED, told, origin, windows)
