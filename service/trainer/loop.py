"""The trainer's loop: one job at a time, oldest first; shadow runs end beside them."""

import logging
import time
import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from models.adapt.evidence import GateRefusal
from models.sensing import Sensing
from service.adaptation.states import IllegalStepError, JobState
from service.store.jobs import Job, give_back, list_jobs, note, requeue_broken, step
from service.trainer.adaptation import Shop, adapt_room, keep
from service.trainer.shadow_time import ShadowTime
from service.trainer.shadows import end_shadows

KIND = "adaptation"
_log = logging.getLogger(__name__)


class JobOverError(Exception):
    """The job was cancelled, its room is gone, or we were told to stop."""


class Trainer:
    """Runs jobs of one site.

    Args:
        shop: store, models and settings.
        tell: sends a signal by its topic: the worker must hear that a room's head changed.
        stop: whether we were told to stop: a job that runs is then left as soon as it says how far it is.
    """

    def __init__(
        self, shop: Shop, tell: Callable[[str], None], stop: Callable[[], bool] = lambda: False
    ) -> None:
        self._shop, self._tell, self._stop = shop, tell, stop
        self.shadow_time = ShadowTime()
        self.counters: Counter[str] = Counter()

    def start(self) -> None:
        """Jobs that a trainer before us left half done are queued again, or failed."""
        for job in requeue_broken(self._shop.store, KIND):
            _log.warning(
                "job %s of room %s was interrupted; it is %s now", job.job, job.room, job.state.value
            )

    def give_back(self) -> None:
        """We were told to stop: the next trainer runs the job again, and this try does not count.

        Safe to call from another thread while the job still runs: nothing of it is activated any more.
        """
        for job in give_back(self._shop.store, KIND):
            _log.info("job %s of room %s waits for the next trainer", job.job, job.room)

    def use(self, sensing: Sensing) -> None:
        """From the next job on these are the models."""
        self._shop = replace(self._shop, sensing=sensing)

    def turn(self) -> bool:
        """End shadow runs that are over, run the oldest queued job; whether there was anything to do."""
        ended = end_shadows(self._shop.store, self.shadow_time)
        queued = list_jobs(self._shop.store, states=[JobState.QUEUED.value], kind=KIND)
        if queued:
            ended += [self._run(queued[0])]
        for state in ended:
            self.counters[state.value] += 1
        if ended:
            self._tell("rooms")
            self._tell("events")
        return bool(ended)

    def _run(self, job: Job) -> JobState:
        """The boundary around one job: whatever breaks in it is its own end, and told."""
        try:
            return self._work(job)
        except GateRefusal as refusal:
            return self._over(job, JobState.REFUSED, refusal.reason, refusal.detail)
        except (JobOverError, IllegalStepError):
            return JobState.QUEUED if self._stop() else JobState.CANCELLED
        except Exception as error:  # noqa: BLE001 - a method is foreign code; the next job must run
            _log.exception("job %s of room %s failed", job.job, job.room)
            told = traceback.format_exception_only(error)[-1].strip()
            return self._over(job, JobState.FAILED, "error", told)

    def _work(self, job: Job) -> JobState:
        self._step(job, JobState.RUNNING, {"progress": 0.0})
        began = time.monotonic()

        def say(share: float, what: str) -> None:
            spent = time.monotonic() - began
            left = None if share < 0.05 else round(spent * (1 - share) / share, 1)
            facts = {"progress": round(share, 3), "eta_s": left, "at": what}
            state = note(self._shop.store, job.job, facts)
            if state is None or state.over or self._stop():
                raise JobOverError(job.job)

        material, outcome = adapt_room(self._shop, job, say)
        self._step(job, JobState.EVALUATING, {"progress": 1.0, "eta_s": None})
        shadow_s = float(job.request.get("shadow_s") or 0)
        return keep(self._shop.store, job, material, outcome, shadow_s) or JobState.CANCELLED

    def _step(self, job: Job, after: JobState, facts: dict[str, object]) -> None:
        with self._shop.store.write() as connection:
            if step(connection, job.job, after, facts) is None:
                raise JobOverError(job.job)

    def _over(self, job: Job, after: JobState, reason: str, detail: str) -> JobState:
        try:
            self._step(job, after, {"reason": reason, "detail": detail, "eta_s": None})
        except (JobOverError, IllegalStepError):
            return JobState.CANCELLED
        return after
