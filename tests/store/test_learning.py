"""Samples, idempotency keys, jobs, versions and recalibrations, on both databases."""

import threading

import numpy as np
import pytest
import sqlalchemy as sa

from models.adapt.head import RoomHead
from service.adaptation.states import IllegalStepError, JobState
from service.store.baselines import read_fresh
from service.store.calibration import CalibrationStep, take_step
from service.store.engine import Store
from service.store.idempotency import KeyReusedError, Once
from service.store.jobs import JobTaken, create_job, get_job, list_jobs, note, requeue_broken, step
from service.store.samples import (
    ACCEPTED,
    REJECTED,
    UPLOAD,
    Answer,
    Asked,
    accepted_samples,
    add,
    ask,
    delete_sample,
    expire,
    load_windows,
    pending_samples,
    sample_page,
    settle,
)
from service.store.schema import versions
from service.store.versions import activate, add_version, list_versions, note_shadow, roll_back

HEAD = RoomHead.of("softmax", (np.zeros(3), np.ones(3)), (np.ones((3, 2)), np.zeros(2)))
CLIP = bytes(range(256)) * 4096
ASKED = Asked("lab", "presence", "vacant", 1, 2, "me")


def job_of(store: Store, room: str = "lab", kind: str = "adaptation") -> str:
    return create_job(store, room=room, task="presence", kind=kind, request={"n": 1}, actor="me").job


def bring(store: Store, job: str, *way: JobState) -> None:
    for state in way:
        with store.write() as connection:
            step(connection, job, state)


def test_a_sample_keeps_its_clip_to_the_byte(store: Store) -> None:
    sample = ask(store, ASKED)
    with store.write() as connection:
        assert settle(connection, Answer(sample.sample, ACCEPTED, {"accepted": True}, "live", CLIP))
        assert not settle(connection, Answer(sample.sample, REJECTED, {}))
    assert load_windows(store, sample.sample) == CLIP
    assert [one.bytes for one in accepted_samples(store, "lab", "presence")] == [len(CLIP)]
    assert delete_sample(store, "lab", sample.sample, actor="me")
    assert load_windows(store, sample.sample) is None


def test_the_same_request_makes_one_sample(store: Store) -> None:
    once = Once("me", "key-1", "digest")
    found = list[str]()
    askers = [threading.Thread(target=lambda: found.append(ask(store, ASKED, once).sample)) for _ in range(4)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join(20)
    assert len(found) == 4
    assert len(set(found)) == len(pending_samples(store)) == 1
    with pytest.raises(KeyReusedError):
        ask(store, ASKED, Once("me", "key-1", "another"))
    assert expire(store, found[0], "nobody answered")
    assert ask(store, ASKED, once).sample != found[0], "what came to nothing may be asked again"


def test_samples_page_newest_first(store: Store) -> None:
    for _ in range(5):
        add(store, ASKED, Answer("", REJECTED, {"accepted": False}, UPLOAD))
    page, before = sample_page(store, "lab", task=None, limit=3, before=None)
    rest, end = sample_page(store, "lab", task="presence", limit=3, before=before)
    assert end is None
    assert len({one.sample for one in page + rest}) == 5


def test_jobs_go_their_way_one_at_a_time(store: Store) -> None:
    job = job_of(store)
    with pytest.raises(JobTaken, match=job):
        job_of(store)
    bring(store, job, JobState.RUNNING)
    assert note(store, job, {"progress": 0.5}) is JobState.RUNNING
    assert [one.job for one in requeue_broken(store, "adaptation")] == [job]
    bring(store, job, JobState.RUNNING, JobState.CANCELLED)
    with pytest.raises(IllegalStepError):
        bring(store, job, JobState.RUNNING)
    assert list_jobs(store) == []
    found = get_job(store, job)
    assert found is not None
    assert (found.attempts, found.doc["progress"], found.request) == (2, 0.0, {"n": 1})


def test_versions_serve_one_at_a_time_and_roll_back(store: Store) -> None:
    made = []
    for _ in range(2):
        with store.write() as connection:
            number = add_version(
                connection,
                room="lab",
                task="presence",
                head=HEAD,
                model=("m", "d"),
                method="head_refit",
                provisional=False,
                doc={},
                job=None,
            )
            note_shadow(connection, number, {"windows": 3})
            activate(connection, number, actor="me", why="test")
            made.append(number)
    with store.write() as connection:
        assert roll_back(connection, "lab", "presence", actor="me") == (made[1], made[0], ())
    found = {one.version: (one.state, one.shadow) for one in list_versions(store, "lab")}
    assert found == {made[0]: ("active", {"windows": 3}), made[1]: ("retired", {"windows": 3})}
    with store.read() as connection:
        assert len(connection.execute(sa.select(versions.c.head)).scalars().first() or b"") > 500


def test_a_recalibration_ends_with_its_baseline(store: Store) -> None:
    job = job_of(store, kind="recalibration")
    bring(store, job, JobState.RUNNING)
    way = (JobState.EVALUATING, JobState.ACTIVATED)
    with store.write() as connection:
        assert take_step(connection, CalibrationStep(job, way, {"source": "live"}, {"x": {"made_ns": 5}})) > 0
        assert take_step(connection, CalibrationStep(job, way, {}, {"x": {"made_ns": 6}})) == 0, "it is over"
    assert read_fresh(store, "lab") == {"x": {"made_ns": 5}}
