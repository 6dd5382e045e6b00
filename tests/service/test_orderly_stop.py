"""Being told to stop is no crash: a job that runs waits for the next process, and its try does not count."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from models.adapt import adapter, contest
from models.sensing import Sensing
from service.adaptation.states import JobState
from service.settings import AdaptationSettings
from service.store.engine import Store, open_store
from service.store.jobs import Job, create_job, get_job
from service.store.versions import list_versions
from service.trainer.adaptation import Shop
from service.trainer.leaving import given_back
from service.trainer.loop import Trainer
from tests.service.bench import Bench
from tests.service.empty_rooms import WHOLE_S, Site
from tests.service.lessons import SPEC, teach
from tests.service.running import wait_for


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path / 'site.sqlite3'}")
    yield opened
    opened.close()


class Service:
    """Trainers of one site, one after the other, and a job whose method takes as long as it is let."""

    def __init__(self, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
        self.store, self.sensing = store, Sensing.load(["open"])
        self.told_to_stop, self.learning, self.may_go_on = (threading.Event() for _ in range(3))
        monkeypatch.setattr(contest, "available", lambda: ["head_refit"])
        known = type(adapter("head_refit")).adapt

        def slow(*words: Any) -> Any:
            self.learning.set()
            assert self.may_go_on.wait(30)
            return known(*words)

        monkeypatch.setattr(type(adapter("head_refit")), "adapt", slow)
        for turn, people in enumerate((0, 1, 4)):
            teach(store, str(people), people, after_s=30 * turn)
        request = {"method": "auto", "shadow_s": 0.0, "force": False}
        self.name = create_job(
            store, room="lab", task="counting", kind="adaptation", request=request, actor="me"
        ).job

    def trainer(self) -> Trainer:
        shop = Shop(self.store, self.sensing, SPEC, AdaptationSettings())
        return Trainer(shop, lambda _: None, self.told_to_stop.is_set)

    @property
    def job(self) -> Job:
        found = get_job(self.store, self.name)
        assert found is not None
        return found

    def life(self) -> None:
        """A trainer that is told to stop while a method learns."""
        for event in (self.told_to_stop, self.learning, self.may_go_on):
            event.clear()
        trainer = self.trainer()
        trainer.start()
        ending = threading.Thread(target=self._stop)
        ending.start()
        with given_back(trainer, self.told_to_stop.is_set):
            trainer.turn()
        ending.join(30)

    def _stop(self) -> None:
        assert self.learning.wait(30)
        self.told_to_stop.set()
        wait_for(lambda: self.job.state is JobState.QUEUED, "the job, while its method still learns")
        self.may_go_on.set()


@pytest.fixture
def service(store: Store, monkeypatch: pytest.MonkeyPatch) -> Service:
    return Service(store, monkeypatch)


def test_any_number_of_ordinary_restarts_does_not_fail_a_job(service: Service) -> None:
    for _ in range(4):
        service.life()
        assert (service.job.state, service.job.attempts) == (JobState.QUEUED, 0)
        assert not list_versions(service.store, "lab")
    service.told_to_stop.clear()
    service.may_go_on.set()
    service.trainer().turn()
    assert service.job.state is JobState.PROVISIONAL
    assert service.job.attempts == 1


def test_a_trainer_that_stops_leaves_its_job_at_the_next_report(service: Service) -> None:
    service.told_to_stop.set()
    service.may_go_on.set()
    trainer = service.trainer()
    assert trainer.turn()
    assert trainer.counters == {"queued": 1}
    trainer.give_back()
    assert (service.job.state, service.job.attempts) == (JobState.QUEUED, 0)


def stop_worker(bench: Bench) -> None:
    bench.worker.run(lambda: True)
    bench.restart()
    bench.turn()


def test_any_number_of_ordinary_restarts_of_the_worker_does_not_fail_a_recalibration(bench: Bench) -> None:
    site = Site(bench)
    job = site.ask(start_delay_s=100)
    for _ in range(4):
        stop_worker(bench)
        assert (site.job(job).state, site.job(job).attempts) == (JobState.RUNNING, 1)
    site.talker = bench.talker(session="s2")
    bench.later(101)
    site.hear(WHOLE_S + 10)
    assert site.job(job).state is JobState.ACTIVATED
