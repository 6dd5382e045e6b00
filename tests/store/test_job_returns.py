"""Jobs that come back to the queue, and those that are made and ended at once, on both databases."""

from collections.abc import Callable, Sequence

import pytest

from service.adaptation.states import JobState
from service.store import jobs as held
from service.store.calibration import KIND, CalibrationStep, take_step
from service.store.engine import Store
from service.store.jobs import (
    Job,
    JobTaken,
    create_job,
    create_job_in,
    get_job,
    give_back,
    requeue_broken,
    step,
)


def running(store: Store, room: str = "lab") -> str:
    job = create_job(store, room=room, task="presence", kind=KIND, request={}, actor="me").job
    with store.write() as connection:
        step(connection, job, JobState.RUNNING)
    return job


def found(store: Store, job: str) -> Job:
    there = get_job(store, job)
    assert there is not None
    return there


def test_a_job_that_is_given_back_has_lost_no_try(store: Store) -> None:
    job = running(store)
    for _ in range(5):
        (back,) = give_back(store, KIND)
        assert back == found(store, job)
        assert (back.state, back.attempts) == (JobState.QUEUED, 0)
        with store.write() as connection:
            step(connection, job, JobState.RUNNING)
    assert give_back(store, "adaptation") == []
    assert [one.attempts for one in requeue_broken(store, KIND)] == [1], "a death counts"


@pytest.mark.parametrize("bring", [requeue_broken, give_back])
def test_a_job_that_is_cancelled_while_they_are_listed_is_passed_over(
    store: Store, monkeypatch: pytest.MonkeyPatch, bring: Callable[[Store, str], list[Job]]
) -> None:
    first, second = running(store), running(store, "hall")
    listed = held.list_jobs

    def late(store: Store, *, states: Sequence[str], kind: str | None) -> list[Job]:
        there = listed(store, states=states, kind=kind)
        with store.write() as connection:
            step(connection, first, JobState.CANCELLED)
        return there

    monkeypatch.setattr(held, "list_jobs", late)
    assert [one.job for one in bring(store, KIND)] == [second]
    assert found(store, first).state is JobState.CANCELLED


def test_a_job_and_its_end_are_one_transaction(store: Store) -> None:
    with store.write() as connection:
        job = create_job_in(connection, room="lab", task="presence", kind=KIND, request={}, actor="me")
        take_step(connection, CalibrationStep(job.job, (JobState.REFUSED,), {"reason": "dry_run"}))
    assert found(store, job.job).state is JobState.REFUSED
    with store.write() as connection:
        lost = create_job_in(connection, room="lab", task="presence", kind=KIND, request={}, actor="me")
        connection.rollback()
    assert get_job(store, lost.job) is None
    running(store)
    with pytest.raises(JobTaken), store.write() as connection:
        create_job_in(connection, room="lab", task="presence", kind=KIND, request={}, actor="me")
