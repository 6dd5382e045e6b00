"""How long shadow runs go on: until the candidate was asked for long enough, or was waited for in vain.

What counts are seconds of windows, which the worker notes, and waiting times of a clock that nobody sets: the
clock on the wall may be put forward or back meanwhile. After a restart of the trainer the wait begins anew.
"""

import time
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from service.store.jobs import Job

PATIENCE: Final = 2.0
"""So many times the asked seconds are waited for windows; then what came must do."""


class ShadowTime:
    """Since when jobs have been seen in their shadow run.

    Args:
        clock: seconds, never set.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._since = dict[str, float]()

    def keep_only(self, jobs: Collection[str]) -> None:
        """Forget jobs that are in no shadow run any more."""
        self._since = {job: since for job, since in self._since.items() if job in jobs}

    def is_over(self, job: Job, seen: Mapping[str, Any]) -> bool:
        """Whether the worker saw enough, or we have waited long enough."""
        now = self._clock()
        waited_s = now - self._since.setdefault(job.job, now)
        return missing(job, seen) <= 0 or waited_s >= PATIENCE * asked_s(job)


def asked_s(job: Job) -> float:
    """Seconds of windows that the candidate is to be asked about."""
    return float(job.doc.get("shadow_s", 0))


def missing(job: Job, seen: Mapping[str, Any]) -> float:
    """Seconds of windows that the worker has not seen yet."""
    return asked_s(job) - float(seen.get("seconds") or 0)


def told(job: Job, seen: Mapping[str, Any]) -> str | None:
    """What to say of a run that ended with fewer windows than asked for; None of one that saw enough."""
    if missing(job, seen) <= 0:
        return None
    came, asked = float(seen.get("seconds") or 0), asked_s(job)
    return (
        f"{came:g} of {asked:g} s of windows with enough frames came in {PATIENCE * asked:g} s: "
        "the gate's judgement of the samples stands"
    )
