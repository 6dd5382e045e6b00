"""Jobs and versions in the store: legal steps only, one open job a room and task, and all the way back."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from models.adapt.head import RoomHead
from models.adapt.head_file import unpack_head
from service.adaptation.states import FOLLOWING, IllegalStepError, JobState
from service.store import jobs as held
from service.store.engine import Store, open_store
from service.store.jobs import JobTaken, create_job, get_job, requeue_broken, step
from service.store.schema import events
from service.store.versions import (
    ACTIVE,
    RETIRED,
    SHADOW,
    activate,
    add_version,
    list_versions,
    roll_back,
)

HEAD = RoomHead.of("softmax", (np.zeros(3), np.ones(3)), (np.ones((3, 2)), np.zeros(2)))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path / 'site.sqlite3'}")
    yield opened
    opened.close()


def queued(store: Store, room: str = "lab") -> str:
    return create_job(store, room=room, task="counting", kind="adaptation", request={}, actor="me").job


def bring(store: Store, job: str, *way: JobState) -> None:
    for state in way:
        with store.write() as connection:
            step(connection, job, state)


WAYS = {
    JobState.QUEUED: (),
    JobState.RUNNING: (JobState.RUNNING,),
    JobState.EVALUATING: (JobState.RUNNING, JobState.EVALUATING),
    JobState.SHADOW: (JobState.RUNNING, JobState.EVALUATING, JobState.SHADOW),
    JobState.ACTIVATED: (JobState.RUNNING, JobState.EVALUATING, JobState.ACTIVATED),
    JobState.PROVISIONAL: (JobState.RUNNING, JobState.EVALUATING, JobState.SHADOW, JobState.PROVISIONAL),
    JobState.REFUSED: (JobState.RUNNING, JobState.REFUSED),
    JobState.CANCELLED: (JobState.CANCELLED,),
    JobState.FAILED: (JobState.RUNNING, JobState.FAILED),
}


@pytest.mark.parametrize("before", JobState)
@pytest.mark.parametrize("after", JobState)
def test_only_legal_steps_change_a_job(store: Store, before: JobState, after: JobState) -> None:
    job = queued(store)
    bring(store, job, *WAYS[before])
    if after in FOLLOWING[before]:
        bring(store, job, after)
    else:
        with pytest.raises(IllegalStepError, match=before.value):
            bring(store, job, after)
    found = get_job(store, job)
    assert found is not None
    assert found.state is (after if after in FOLLOWING[before] else before)


def test_one_open_job_a_room_and_task(store: Store) -> None:
    job = queued(store)
    with pytest.raises(JobTaken, match=job):
        queued(store)
    queued(store, "hall")
    bring(store, job, JobState.CANCELLED)
    assert queued(store) != job


def test_a_job_whose_trainer_died_is_tried_again_and_then_failed(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(held, "_TRIES", 2)
    job = queued(store)
    bring(store, job, JobState.RUNNING)
    assert [one.state for one in requeue_broken(store, "adaptation")] == [JobState.QUEUED]
    bring(store, job, JobState.RUNNING, JobState.EVALUATING)
    (failed,) = requeue_broken(store, "adaptation")
    assert failed.state is JobState.FAILED
    assert failed.doc["reason"] == "crashed"


def added(store: Store) -> int:
    with store.write() as connection:
        return add_version(
            connection,
            room="lab",
            task="counting",
            head=HEAD,
            model=("counting-simulation", "abc"),
            method="head_refit",
            provisional=True,
            doc={},
            job=None,
        )


def states(store: Store) -> dict[int, str]:
    return {one.version: one.state for one in list_versions(store, "lab")}


def test_versions_are_activated_one_by_one_and_rolled_back_to_none(store: Store) -> None:
    first, second = added(store), added(store)
    assert states(store) == {first: RETIRED, second: SHADOW}  # one shadow a room and task
    with store.write() as connection:
        activate(connection, second, actor="me", why="gate")
    third = added(store)
    with store.write() as connection:
        activate(connection, third, actor="me", why="gate")
    assert states(store) == {first: RETIRED, second: RETIRED, third: ACTIVE}
    with store.write() as connection:
        assert roll_back(connection, "lab", "counting", actor="me") == (third, second, ())
        assert roll_back(connection, "lab", "counting", actor="me") == (second, None, ())
        assert roll_back(connection, "lab", "counting", actor="me") is None
    with store.read() as connection:
        told = connection.execute(sa.select(events.c.data)).scalars().all()
    assert [one["version"] for one in told] == [second, third, second, None]


def test_a_head_comes_back_as_it_went_in_and_damage_is_found(store: Store) -> None:
    added(store)
    with store.read() as connection:
        data = connection.execute(sa.text("SELECT head FROM versions")).scalar_one()
    again = unpack_head(data)
    assert (again.predict(np.ones((4, 3))) == HEAD.predict(np.ones((4, 3)))).all()
    with pytest.raises(ValueError, match="damaged"):
        unpack_head(data[: len(data) // 2])
