"""The end of a shadow run: what the worker saw decides whether the candidate is activated."""

from typing import Any

from service.adaptation.states import IllegalStepError, JobState, end_of
from service.store.engine import Store
from service.store.jobs import Job, list_jobs, step
from service.store.versions import SHADOW, activate, get_version, refuse
from service.trainer.shadow_time import ShadowTime, told

RESTLESS = 0.5
"""Share of windows at which a candidate changes its answer that is too much, if what serves does not."""
MOST_ERRORS = 0.05


def end_shadows(store: Store, shadow_time: ShadowTime) -> list[JobState]:
    """End the shadow runs that are over; the states their jobs came to."""
    ended = []
    running = list_jobs(store, states=[JobState.SHADOW.value])
    shadow_time.keep_only({job.job for job in running})
    for job in running:
        found = get_version(store, int(job.doc["version"]))
        if found is None or shadow_time.is_over(job, found.shadow):
            state = _end(store, job)
            ended += [state] if state else []
    return ended


def _end(store: Store, job: Job) -> JobState | None:
    """Activate or refuse, with the job's last step, in one transaction; None if somebody was faster."""
    version = int(job.doc["version"])
    try:
        with store.write() as connection:
            found = get_version(store, version)
            seen = found.shadow if found else {}
            why = trouble(seen)
            if found is None or found.state != SHADOW or why:
                refuse(connection, version)
                facts = {"reason": "unstable", "detail": why or "no version is in this run", "shadow": seen}
                done = step(connection, job.job, JobState.REFUSED, facts)
            else:
                activate(connection, version, actor=job.actor, why=job.job)
                passed = {"detail": told(job, seen), "shadow": seen, "eta_s": 0.0}
                done = step(connection, job.job, end_of(provisional=found.provisional), passed)
    except IllegalStepError:  # cancelled this very moment: the transaction is undone
        return None
    return done.state if done else None


def trouble(seen: dict[str, Any]) -> str:
    """What speaks against a candidate that ran beside what serves; empty where nothing does.

    A run in which too few frames came says little, and is told so in the job: the gate has judged already.
    """
    windows, errors = seen.get("windows", 0), seen.get("errors", 0)
    if windows and errors > MOST_ERRORS * windows:
        return f"it failed on {errors} of {windows} live windows"
    flips, others = seen.get("flips"), seen.get("flips_active")
    if flips is not None and flips > RESTLESS and flips > 2 * (others or 0.0):
        return f"it changed its answer at {flips:.0%} of live windows, what serves at {others or 0:.0%}"
    return ""
