"""The end of a shadow run: what the worker saw decides whether the candidate is activated."""

import time
from typing import Any

from service.adaptation.states import IllegalStepError, JobState
from service.store.engine import Store
from service.store.jobs import Job, list_jobs, step
from service.store.versions import activate, get_version, refuse
from service.trainer.adaptation import end_of

RESTLESS = 0.5
"""Share of windows at which a candidate changes its answer that is too much, if what serves does not."""
MOST_ERRORS = 0.05


def end_shadows(store: Store) -> list[JobState]:
    """End the shadow runs that are over; the states their jobs came to."""
    ended = []
    for job in list_jobs(store, states=[JobState.SHADOW.value]):
        if time.time_ns() - job.updated_ns >= float(job.doc.get("shadow_s", 0)) * 1e9:
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
            if found is None or why:
                refuse(connection, version)
                facts = {"reason": "unstable", "detail": why or "the version is gone", "shadow": seen}
                done = step(connection, job.job, JobState.REFUSED, facts)
            else:
                activate(connection, version, actor=job.actor, why=job.job)
                done = step(
                    connection, job.job, end_of(provisional=found.provisional), {"shadow": seen, "eta_s": 0.0}
                )
    except IllegalStepError:  # cancelled this very moment: the transaction is undone
        return None
    return done.state if done else None


def trouble(seen: dict[str, Any]) -> str:
    """What speaks against a candidate that ran beside what serves; empty where nothing does.

    A run in which no frames came says nothing, and is told so in the job: the gate has judged already.
    """
    windows, errors = seen.get("windows", 0), seen.get("errors", 0)
    if windows and errors > MOST_ERRORS * windows:
        return f"it failed on {errors} of {windows} live windows"
    flips, others = seen.get("flips"), seen.get("flips_active")
    if flips is not None and flips > RESTLESS and flips > 2 * (others or 0.0):
        return f"it changed its answer at {flips:.0%} of live windows, what serves at {others or 0:.0%}"
    return ""
