"""Recalibrations in the worker: it waits until people have left, looks at the empty room, and decides.

The job is the memory: when people must have left is written down, so that after a restart nobody waits again.
Every step goes into the turn's batch; the last one brings the new baselines in the same transaction.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from models.prediction import JsonValue, Prediction
from models.signal.window import Window, WindowSpec
from service.adaptation.empty_request import empty_request
from service.adaptation.empty_room import HOLD_OUT_S, EmptyRoom, RefusedError
from service.adaptation.states import JobState
from service.state import rfc3339
from service.store.calibration import KIND, CalibrationStep
from service.store.engine import Store
from service.store.jobs import Job, give_back, list_jobs, requeue_broken
from service.worker.batch import Batch
from service.worker.ledger import LinkLedger
from service.worker.rooms import RoomRuntime

SILENCE_S: Final = 30.0
"""Host time without a window after which there is nothing to look at."""
TOLD_EVERY_S: Final = 2.0
_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Run:
    """A job that runs.

    `after_ns`: newest frame when people had left, None before; that was at host time `began_ns`. Then `empty`
    collects.
    """

    job: str
    ready_ns: int
    duration_s: float
    dry_run: bool
    after_ns: int | None = None
    began_ns: int = 0
    empty: EmptyRoom | None = None
    heard_ns: int = 0
    told_ns: int = 0


class Recalibrations:
    """Jobs of new empty-room baselines, one a room at most.

    Args:
        store: with the jobs.
        spec: how windows are cut.
    """

    def __init__(self, store: Store, spec: WindowSpec) -> None:
        self._store, self._spec = store, spec
        self._runs: dict[str, _Run] = {}

    def start(self) -> None:
        """Jobs that the worker before us left half done are queued again, or failed."""
        for job in requeue_broken(self._store, KIND):
            _log.warning("job %s of room %s was interrupted; it is %s", job.job, job.room, job.state.value)

    def stop(self) -> None:
        """The worker was told to stop: the next one takes its jobs up again, and that try does not count."""
        give_back(self._store, KIND)

    def read(self, now_ns: int, batch: Batch) -> None:
        """Begin jobs that wait; let go of those that were cancelled, or whose room is gone."""
        jobs = {job.job: job for job in list_jobs(self._store, kind=KIND)}
        self._runs = {room: run for room, run in self._runs.items() if run.job in jobs}
        for job in jobs.values():
            if job.state is JobState.QUEUED and job.room not in self._runs:
                self._begin(job, now_ns, batch)

    def look(
        self,
        rooms: Mapping[str, RoomRuntime],
        ledgers: Mapping[str, LinkLedger],
        now_ns: int,
        batch: Batch,
    ) -> None:
        """See whether people have left by now, whether frames still come, and tell how far we are."""
        for name, run in list(self._runs.items()):
            if name not in rooms:
                continue
            if run.after_ns is None and now_ns >= run.ready_ns:
                run.after_ns = _newest(rooms[name], ledgers)
                run.began_ns = run.heard_ns = now_ns
            if run.after_ns is not None and now_ns - run.heard_ns > SILENCE_S * 1e9:
                detail = f"no frames of any link of the room for {SILENCE_S:.0f} s"
                self._end(rooms[name], batch, JobState.REFUSED, {"reason": "no_frames", "detail": detail})
            elif now_ns - run.told_ns >= TOLD_EVERY_S * 1e9:
                run.told_ns = now_ns
                batch.calibrations.append(CalibrationStep(run.job, facts=_progress(run, now_ns)))

    def take(
        self, room: RoomRuntime, window: Window, made: Sequence[Prediction], now_ns: int, batch: Batch
    ) -> None:
        """A window of a room, and what was said about it."""
        run = self._runs.get(room.room)
        if run is None or run.after_ns is None or window.start_ns < run.after_ns:
            return
        if run.empty is None:
            run.empty = EmptyRoom(window.start_ns, run.duration_s, self._spec, room.baselines_for(window))
        run.heard_ns = now_ns
        run.empty.roamed |= {link for link, at_ns in room.roamed.items() if at_ns >= run.began_ns}
        try:
            run.empty.take(window, room.source_of(window), made)
            if run.empty.complete:
                self._passed(room, run, run.empty, now_ns, batch)
        except RefusedError as refused:
            why = {"reason": refused.reason, "detail": refused.detail}
            self._end(room, batch, JobState.REFUSED, why)
        except Exception:  # noqa: BLE001 - whatever foreign frames break here, the room goes on
            _log.exception("recalibration %s of room %s failed", run.job, room.room)
            why = {"reason": "error", "detail": "the frames could not be worked on; the log says why"}
            self._end(room, batch, JobState.FAILED, why)

    def _begin(self, job: Job, now_ns: int, batch: Batch) -> None:
        """Run the job; one that asks for something else is failed, or it would keep others away for ever."""
        try:
            asked = empty_request(job.request)
        except ValueError as error:
            why = {"reason": "error", "detail": f"the request cannot be worked on: {error}", "eta_s": None}
            batch.calibrations.append(CalibrationStep(job.job, (JobState.FAILED,), why))
            return
        ready_ns = int(job.doc.get("ready_ns") or now_ns + round(asked.start_delay_s * 1e9))
        run = _Run(job.job, ready_ns, asked.duration_s, asked.dry_run)
        self._runs[job.room] = run
        facts = {"ready_ns": ready_ns, "ready_at": rfc3339(ready_ns), **_progress(run, now_ns)}
        batch.calibrations.append(CalibrationStep(job.job, (JobState.RUNNING,), facts))

    def _passed(
        self,
        room: RoomRuntime,
        run: _Run,
        empty: EmptyRoom,
        now_ns: int,
        batch: Batch,
    ) -> None:
        """All was seen: where the held-out minute agrees, the new baselines replace the old ones.

        Unless it was a dry run; and a link that roamed meanwhile has none.

        Raises:
            RefusedError: there are no new baselines.
        """
        found = empty.judge()
        told = {link: _told(one, room.baselines.get(link)) for link, one in found.items()}
        left = sorted(set(room.config.links) - set(found) - empty.roamed)
        facts: dict[str, Any] = {
            "calibrated_links": told,
            "links_without_enough_frames": left,
            "links_roamed": sorted(empty.roamed),
        }
        if run.dry_run:
            detail = "all checks passed; without `dry_run` these baselines would serve now"
            self._end(room, batch, JobState.REFUSED, {"reason": "dry_run", "detail": detail, **facts})
            return
        made = {"made_ns": now_ns, "job": run.job, "source": room_source(run, room)}
        baselines = {link: {**one, **made} for link, one in found.items()}
        self._end(room, batch, JobState.ACTIVATED, facts, baselines)

    def _end(
        self,
        room: RoomRuntime,
        batch: Batch,
        state: JobState,
        facts: Mapping[str, Any],
        baselines: Mapping[str, Any] | None = None,
    ) -> None:
        run = self._runs.pop(room.room)
        passed = state is JobState.ACTIVATED
        told = {"source": room_source(run, room), "eta_s": None, **facts} | (
            {"progress": 1.0} if passed else {}
        )
        states = (JobState.EVALUATING, state) if passed else (state,)
        batch.calibrations.append(CalibrationStep(run.job, states, told, baselines or {}))


def room_source(run: _Run, room: RoomRuntime) -> str | None:
    """Where the frames come from; None if there were none."""
    if run.empty is not None and run.empty.source is not None:
        return run.empty.source.value
    return next((source.value for source in room.sources.values()), None)


def _progress(run: _Run, now_ns: int) -> dict[str, Any]:
    """Where a job stands; seconds that are left are those of live frames."""
    span_s = run.duration_s + HOLD_OUT_S
    done = 0.0 if run.empty is None else run.empty.progress
    waiting_s = max(run.ready_ns - now_ns, 0) / 1e9
    if run.after_ns is None:
        at = "waiting until people have left"
    else:
        at = "collecting" if done < run.duration_s / span_s else "held-out minute"
    return {"progress": round(done, 3), "eta_s": round(waiting_s + span_s * (1 - done), 1), "at": at}


def _newest(room: RoomRuntime, ledgers: Mapping[str, LinkLedger]) -> int:
    """The newest frame of the room that was received: only what is captured later is looked at."""
    times = [ledgers[link].last_capture_ns for link in room.sources if link in ledgers]
    return max((one for one in times if one is not None), default=0)


def _told(found: Mapping[str, JsonValue], before: JsonValue) -> dict[str, JsonValue]:
    """A baseline as the job shows it, beside the one that served before."""
    told = {name: found[name] for name in ("log_moved", "spread", "windows")}
    return told | {"before": before.get("log_moved") if isinstance(before, dict) else None}
