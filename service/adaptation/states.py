"""The life of a job, as a table of what may follow what; every other step is refused (DESIGN B6).

queued -> running -> evaluating -> shadow -> activated | provisional
            any of these -> refused(reason) | cancelled | failed(reason)
            running, evaluating -> queued          (the trainer died; it is tried again)
"""

from enum import StrEnum

from service.errors import ServiceError


class JobState(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    EVALUATING = "evaluating"
    SHADOW = "shadow"
    ACTIVATED = "activated"
    PROVISIONAL = "provisional"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    FAILED = "failed"

    @property
    def over(self) -> bool:
        """Whether nothing can follow."""
        return not FOLLOWING[self]


_ENDS = frozenset({JobState.REFUSED, JobState.CANCELLED, JobState.FAILED})
_GOOD = frozenset({JobState.ACTIVATED, JobState.PROVISIONAL})
FOLLOWING: dict[JobState, frozenset[JobState]] = {
    JobState.QUEUED: frozenset({JobState.RUNNING}) | _ENDS,
    JobState.RUNNING: frozenset({JobState.EVALUATING, JobState.QUEUED}) | _ENDS,
    JobState.EVALUATING: frozenset({JobState.SHADOW, JobState.QUEUED}) | _GOOD | _ENDS,
    JobState.SHADOW: _GOOD | _ENDS,
    **dict.fromkeys(_GOOD | _ENDS, frozenset[JobState]()),
}
"""State -> states that may follow. A job without a shadow run goes from evaluating to its end."""


def end_of(*, provisional: bool) -> JobState:
    """The good end of a job."""
    return JobState.PROVISIONAL if provisional else JobState.ACTIVATED


class IllegalStepError(ServiceError):
    """A job was asked to go where it cannot."""


def check_step(before: JobState, after: JobState) -> None:
    """See that a job may go from one state to the other.

    Raises:
        IllegalStepError: it may not.
    """
    if after not in FOLLOWING[before]:
        can = ", ".join(sorted(FOLLOWING[before])) or "nothing, it is over"
        raise IllegalStepError(
            f"a job that is {before.value} cannot become {after.value}; what can follow: {can}"
        )
