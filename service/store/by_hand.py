"""What a person decides about a room's heads. It holds: a shadow run under way ends with it.

Whoever activates or rolls back says what is to serve from now on; the end of a shadow run that began before
must not change it again. The job comes to its end in the same transaction, and says who ended it.
"""

from collections.abc import Collection

import sqlalchemy as sa

from service.adaptation.states import JobState, end_of
from service.store.jobs import step
from service.store.schema import jobs
from service.store.versions import Backbone, RolledBack, Version, activate, refuse, roll_back


def activate_by_hand(connection: sa.Connection, version: int, *, actor: str) -> Version | None:
    """Make this version the active one; as it was before, None if it is no more.

    Its own shadow run ends well, that of another version is cancelled.
    """
    found = activate(connection, version, actor=actor, why="asked")
    if found is None:
        return None
    why = f"{actor} activated version {version}"
    for job, candidate in _shadow_runs(connection, found.room, found.task):
        if candidate == version:
            facts = {"reason": "activated_by_hand", "detail": why, "shadow": found.shadow, "eta_s": 0.0}
            step(connection, job, end_of(provisional=found.provisional), facts)
        else:
            _overtake(connection, job, candidate, why)
    return found


def roll_back_by_hand(
    connection: sa.Connection, room: str, task: str, *, actor: str, there: Collection[Backbone] | None
) -> RolledBack | None:
    """Go back, as `roll_back` does; a shadow run of the room and task is cancelled."""
    done = roll_back(connection, room, task, actor=actor, there=there)
    if done is not None:
        for job, candidate in _shadow_runs(connection, room, task):
            _overtake(connection, job, candidate, f"{actor} rolled back from version {done.left}")
    return done


def _shadow_runs(connection: sa.Connection, room: str, task: str) -> list[tuple[str, int]]:
    """Jobs of this room and task that are in their shadow run, each with its candidate."""
    mine = (jobs.c.room == room) & (jobs.c.task == task) & (jobs.c.state == JobState.SHADOW.value)
    rows = connection.execute(sa.select(jobs.c.job, jobs.c.doc).where(mine)).all()
    return [(job, doc["version"]) for job, doc in rows]


def _overtake(connection: sa.Connection, job: str, candidate: int, why: str) -> None:
    """Somebody decided otherwise before the candidate was tried."""
    step(connection, job, JobState.CANCELLED, {"reason": "overtaken", "detail": why, "eta_s": None})
    refuse(connection, candidate)
