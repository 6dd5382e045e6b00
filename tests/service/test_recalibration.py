"""Recalibration: a new empty-room baseline replaces the old one when the room was empty and stayed so."""

import pytest

from models.signal.baseline import Baseline
from service.adaptation.states import JobState
from service.store.baselines import of_kind
from service.store.jobs import create_job, list_jobs, step
from service.store.rooms import delete_room
from service.store.schema import audit
from service.worker.batch import Batch
from tests.service.bench import Bench
from tests.service.empty_rooms import DURATION_S, WHOLE_S, Site
from tests.service.frames import frames

OLD = {**Baseline(log_moved=-9.0, spread=0.1, windows=20).to_json(), "made_ns": 5}


@pytest.fixture
def site(bench: Bench) -> Site:
    return Site(bench)


def ended(site: Site, job: str) -> tuple[JobState, str | None]:
    found = site.job(job)
    return found.state, found.doc.get("reason")


def test_an_empty_room_becomes_its_baseline(site: Site) -> None:
    site.keep(l1=OLD, l2=OLD)
    job = site.ask()
    assert site.job(job).state is JobState.RUNNING
    site.hear(DURATION_S)
    assert site.baseline() == OLD  # the old one stays until the new one has passed
    site.bench.later(3)
    told = site.job(job).doc
    assert told["at"] == "collecting"
    assert 0.3 < told["progress"] < 0.6
    site.hear(70)
    assert ended(site, job) == (JobState.ACTIVATED, None)
    found = site.baseline()
    assert found["job"] == job
    assert found["source"] == "live"
    assert found["log_moved"] == pytest.approx(-6.4, abs=0.5)
    assert site.baseline("l2") == OLD  # it delivered nothing
    done = site.job(job).doc
    assert done["calibrated_links"]["l1"]["before"] == -9.0
    assert done["progress"] == 1.0
    site.bench.turn()
    served = site.bench.worker.building.rooms["b"].baselines["l1"]
    assert isinstance(served, dict)
    assert served["log_moved"] == found["log_moved"]


def test_its_end_is_in_the_log_and_the_audit(site: Site) -> None:
    job = site.ask()
    site.hear(WHOLE_S + 10)
    (event,) = site.bench.told("recalibration.ended")
    assert event["data"] == {
        "room": "b",
        "task": "presence",
        "job": job,
        "state": "activated",
        "links": ["l1"],
        "source": "live",
        "actor": "me",
    }
    actions = [row["action"] for row in site.bench.rows(audit) if row["action"].startswith("recal")]
    assert actions == ["recalibration.asked", "recalibration.activated"]


def test_a_dry_run_changes_nothing_and_says_what_would_be(site: Site) -> None:
    site.keep(l1=OLD)
    job = site.ask(dry_run=True)
    site.hear(WHOLE_S + 10)
    assert ended(site, job) == (JobState.REFUSED, "dry_run")
    assert site.job(job).doc["calibrated_links"]["l1"]["log_moved"] == pytest.approx(-6.4, abs=0.5)
    assert site.baseline() == OLD


def test_motion_refuses_at_once_and_says_where(site: Site) -> None:
    site.keep(l1=OLD)
    job = site.ask()
    site.hear(20)
    site.hear(20, people=1)
    assert ended(site, job) == (JobState.REFUSED, "motion_seen")
    assert "on link l1 at 2020-09-13T" in site.job(job).doc["detail"]
    assert site.baseline() == OLD


def test_who_is_still_there_in_the_held_out_minute_is_noticed(site: Site) -> None:
    job = site.ask()
    site.hear(DURATION_S + 10)
    site.hear(60, people=1)
    assert ended(site, job) == (JobState.REFUSED, "motion_seen")
    assert site.baseline() == {}


def test_what_moves_otherwise_in_the_held_out_minute_is_not_steady(site: Site) -> None:
    job = site.ask()
    site.hear(DURATION_S - 5)
    site.hear(90, unrest=2.2)
    assert ended(site, job) == (JobState.REFUSED, "not_steady"), site.job(job).doc
    assert site.baseline() == {}


def test_people_have_time_to_leave(site: Site) -> None:
    job = site.ask(start_delay_s=30)
    site.hear(30, people=1)
    assert site.job(job).doc["at"] == "waiting until people have left"
    site.bench.later(31)
    site.hear(WHOLE_S + 10)
    assert ended(site, job) == (JobState.ACTIVATED, None)


def test_no_frames_end_it(site: Site) -> None:
    job = site.ask()
    site.bench.later(31)
    assert ended(site, job) == (JobState.REFUSED, "no_frames")
    again = site.ask()
    site.hear(30)
    site.bench.later(31)
    assert ended(site, again) == (JobState.REFUSED, "no_frames")


def test_too_few_packets_end_it(site: Site) -> None:
    job = site.ask()
    for second in range(int(WHOLE_S) + 10):
        site.talker.send(frames(site.now_s + second, 0.3, first=50 * second))
    site.settle()
    assert ended(site, job) == (JobState.REFUSED, "low_occupancy"), site.job(job).doc


def test_a_cancelled_job_leaves_everything_as_it_was(site: Site) -> None:
    job = site.ask()
    site.hear(DURATION_S)
    with site.bench.store.write() as connection:
        step(connection, job, JobState.CANCELLED, {"reason": "cancelled"})
    site.hear(80)
    assert ended(site, job) == (JobState.CANCELLED, "cancelled")
    assert site.baseline() == {}
    assert not site.bench.told("recalibration")


def test_a_job_cancelled_in_the_very_turn_it_passes_leaves_everything_as_it_was(site: Site) -> None:
    job = site.ask()
    write = site.bench.worker._write_once

    def late(batch: Batch) -> int:
        if any(one.baselines for one in batch.calibrations):
            with site.bench.store.write() as connection:
                step(connection, job, JobState.CANCELLED)
        return write(batch)

    site.bench.worker._write_once = late  # type: ignore[method-assign]
    site.hear(WHOLE_S + 10)
    assert site.job(job).state is JobState.CANCELLED
    assert site.baseline() == {}
    assert not site.bench.told("recalibration")


def test_after_a_restart_it_goes_on_without_a_second_delay(site: Site) -> None:
    job = site.ask(start_delay_s=100)
    site.hear(20)
    site.bench.restart()
    site.bench.turn()
    site.talker = site.bench.talker(session="s2")
    assert site.job(job).state is JobState.RUNNING
    site.bench.later(101)
    site.hear(WHOLE_S + 10)
    assert ended(site, job) == (JobState.ACTIVATED, None)
    assert site.job(job).attempts == 2


def test_a_job_that_takes_the_worker_down_is_failed_in_the_end(site: Site) -> None:
    job = site.ask(start_delay_s=100)
    for _ in range(3):
        site.bench.restart()
        site.bench.turn()
    assert ended(site, job) == (JobState.FAILED, "crashed")


def test_a_room_that_is_deleted_meanwhile_takes_its_job_along(site: Site) -> None:
    site.ask()
    site.hear(20)
    delete_room(site.bench.store, "b", check=lambda _: None, actor="me")
    site.bench.turn()
    assert list_jobs(site.bench.store, kind="recalibration") == []
    assert site.bench.worker.recalibrations._runs == {}


def test_jobs_of_the_trainer_are_none_of_its_business(site: Site) -> None:
    job = create_job(
        site.bench.store, room="b", task="counting", kind="adaptation", request={}, actor="me"
    ).job
    site.bench.turn()
    assert site.job(job).state is JobState.QUEUED


def test_a_stale_baseline_is_replaced(site: Site) -> None:
    site.keep(l1={**OLD, "stale": {"reason": "link_roamed", "since_ns": 1}})
    job = site.ask()
    site.hear(WHOLE_S + 10)
    assert ended(site, job) == (JobState.ACTIVATED, None)
    assert "stale" not in site.baseline()


def test_a_simulated_baseline_serves_simulated_frames_alone(site: Site) -> None:
    site.keep(l1={**OLD, "source": "simulated"}, l2={**OLD, "source": "replay"}, l3=OLD)
    room = site.bench.worker.building.rooms["b"]
    assert set(of_kind(room.baselines, simulated=False)) == {"l2", "l3"}
    assert set(of_kind(room.baselines, simulated=True)) == {"l1", "l3"}
    site.hear(40)
    assert site.bench.sensing.baselines == {"l2", "l3"}
