"""Shadow runs: what counts against a candidate, how long one goes on, what is told if nothing was heard."""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from models.adapt.head import RoomHead
from models.prediction import ModelRef, Prediction, Reason
from models.signal.window import WindowSpec
from service.adaptation.states import JobState
from service.rooms.config import RoomConfig
from service.store.engine import Store, open_store
from service.store.erasing import Range, erase
from service.store.jobs import Job, create_job, get_job, step
from service.store.rooms import put_room
from service.store.versions import ACTIVE, REFUSED, SHADOW, add_version, list_versions, note_shadow
from service.trainer.shadow_time import PATIENCE, ShadowTime
from service.trainer.shadows import end_shadows, trouble
from service.worker.shadow import ShadowRun
from tests.service.bench import Bench
from tests.service.frames import frames
from tests.service.test_heads import added, shadow_of

HEAD = RoomHead.of("softmax", (np.zeros(3), np.ones(3)), (np.ones((3, 2)), np.zeros(2)))
TWO = Prediction("counting", 2, 0.9, model=ModelRef("m", "1", "0", "n"))
HOUR_NS = 3600 * 10**9


def unknown(reason: Reason) -> Prediction:
    return Prediction.unknown("counting", reason)


@pytest.mark.parametrize("reason", [Reason.NO_FRAMES, Reason.LOW_OCCUPANCY])
@pytest.mark.parametrize("served", [None, Reason.UNCALIBRATED])
def test_lost_packets_are_not_the_candidates_failures(reason: Reason, served: Reason | None) -> None:
    run = ShadowRun(1, hop_s=0.5)
    for _ in range(27):
        run.see(TWO, TWO)
    for _ in range(3):
        run.see(unknown(reason), unknown(served or reason))
    seen = run.report()
    assert (seen["windows"], seen["seconds"], seen["errors"], seen["unheard"]) == (27, 13.5, 0, 3)
    assert trouble(seen) == ""


def test_what_the_candidate_does_not_answer_counts_where_frames_came() -> None:
    run = ShadowRun(1)
    for _ in range(18):
        run.see(TWO, TWO)
    run.see(unknown(Reason.MODEL_ERROR), unknown(Reason.MODEL_ERROR))
    run.see(unknown(Reason.LOW_OCCUPANCY), TWO)
    seen = run.report()
    assert (seen["windows"], seen["errors"], seen["unheard"]) == (20, 2, 0)
    assert "failed on 2 of 20" in trouble(seen)


def test_the_worker_notes_seconds_of_windows(bench: Bench) -> None:
    talker = bench.talker()
    talker.send(frames(0, 6, people=2))
    bench.turn()
    version = added(bench)
    bench.worker.building.rooms["b"].spec = WindowSpec(hop_s=0.5)
    bench.turn()
    talker.send(frames(6, 12, people=2))
    bench.turn()
    seen = shadow_of(bench, version)
    windows = seen["windows"]
    assert isinstance(windows, int)
    assert windows > 5
    assert (seen["seconds"], seen["unheard"]) == (windows / 2, 0)


class Clock:
    """Seconds that go on when told."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path / 'site.sqlite3'}")
    yield opened
    opened.close()


class Shadow:
    """A job in its shadow run of 30 s, and a trainer that looks at it."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self.store, self.clock, self.time = store, clock, ShadowTime(clock)
        job = create_job(store, room="lab", task="counting", kind="adaptation", request={}, actor="me")
        self.name = job.job
        with store.write() as connection:
            step(connection, self.name, JobState.RUNNING)
            step(connection, self.name, JobState.EVALUATING)
            self.version = add_version(
                connection,
                room="lab",
                task="counting",
                head=HEAD,
                model=("m", "d"),
                method="head_refit",
                provisional=False,
                doc={},
                job=self.name,
            )
            step(connection, self.name, JobState.SHADOW, {"version": self.version, "shadow_s": 30.0})

    def look(self, after_s: float = 0.0) -> list[JobState]:
        self.clock.now += after_s
        return end_shadows(self.store, self.time)

    def see(self, run: ShadowRun) -> None:
        with self.store.write() as connection:
            note_shadow(connection, self.version, run.report())

    @property
    def job(self) -> Job:
        found = get_job(self.store, self.name)
        assert found is not None
        return found

    @property
    def state(self) -> str:
        (version,) = list_versions(self.store, "lab")
        return version.state


@pytest.fixture
def shadow(store: Store) -> Shadow:
    put_room(store, "lab", RoomConfig(), check=lambda _: None, actor="test", nics={})
    return Shadow(store, Clock())


def heard(windows: int) -> ShadowRun:
    run = ShadowRun(1)
    for _ in range(windows):
        run.see(TWO, TWO)
    return run


def test_a_run_is_over_when_enough_windows_were_seen(shadow: Shadow) -> None:
    shadow.see(heard(29))
    assert shadow.look() == []
    shadow.see(heard(30))
    assert shadow.look(5) == [JobState.ACTIVATED]
    assert shadow.job.doc["detail"] is None
    assert shadow.job.doc["shadow"]["seconds"] == 30


def test_a_run_that_hears_nothing_is_waited_for_so_long_and_says_so(shadow: Shadow) -> None:
    assert shadow.look() == []
    assert shadow.look(30 * PATIENCE - 1) == []
    assert shadow.look(1) == [JobState.ACTIVATED]
    assert shadow.job.doc["detail"].startswith("0 of 30 s of windows with enough frames came in 60 s")


def test_a_run_that_heard_too_little_says_how_much_and_is_judged_by_it(shadow: Shadow) -> None:
    run = heard(10)
    shadow.see(run)
    shadow.look()
    run.see(unknown(Reason.MODEL_ERROR), TWO)
    shadow.see(run)
    assert shadow.look(60) == [JobState.REFUSED]
    assert shadow.job.doc["reason"] == "unstable"
    assert "failed on 1 of 11" in shadow.job.doc["detail"]


@pytest.mark.parametrize("by_ns", [HOUR_NS, -HOUR_NS])
def test_steps_of_the_clock_on_the_wall_change_nothing(
    shadow: Shadow, monkeypatch: pytest.MonkeyPatch, by_ns: int
) -> None:
    shadow.look()
    there = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: there() + by_ns)
    assert shadow.look(59) == []
    assert shadow.look(1) == [JobState.ACTIVATED]


def test_a_trainer_that_was_restarted_begins_the_wait_anew(shadow: Shadow) -> None:
    shadow.look()
    shadow.clock.now += 50
    shadow.time = ShadowTime(shadow.clock)
    assert shadow.look() == []
    assert shadow.look(59) == []
    assert shadow.look(1) == [JobState.ACTIVATED]


def test_a_candidate_goes_with_its_erased_job(shadow: Shadow, store: Store) -> None:
    (version,) = list_versions(store, "lab")
    assert erase(store, "lab", Range(0, version.created_ns), actor="me") is not None
    assert get_job(store, shadow.name) is None
    assert shadow.state == REFUSED
    assert shadow.look() == []
    assert Shadow(store, shadow.clock).look(100) == [], "the next job is not in its way"


def test_an_erasure_of_another_time_leaves_the_shadow_run_alone(shadow: Shadow, store: Store) -> None:
    assert erase(store, "lab", Range(0, shadow.job.created_ns), actor="me") is not None
    assert shadow.state == SHADOW
    shadow.see(heard(30))
    assert shadow.look() == [JobState.ACTIVATED]
    assert shadow.state == ACTIVE
