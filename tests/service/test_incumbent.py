"""What serves and its candidate are judged alike: neither on recordings that it learned from."""

import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from models.adapt import contest
from models.sensing import Sensing
from service.adaptation.states import JobState
from service.store.engine import Store, open_store
from service.store.jobs import Job
from service.store.schema import samples, versions
from service.store.versions import list_versions
from service.trainer.material import read_material
from tests.service.lessons import SPEC, teach
from tests.service.test_trainer import RIGHT, Site, teach_all

HARD = {"n1": 1, "n2": 2, "n3": 3, "n4": 4}


@pytest.fixture(scope="module")
def sensing() -> Sensing:
    return Sensing.load(["open"])


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path / 'site.sqlite3'}")
    yield opened
    opened.close()


@pytest.fixture
def site(store: Store, sensing: Sensing, monkeypatch: pytest.MonkeyPatch) -> Site:
    monkeypatch.setattr(contest, "available", lambda: ["head_refit"])
    return Site(store, sensing)


def before(job: Job) -> dict[str, Any]:
    found: dict[str, Any] = job.doc["metrics"]["before"]
    return found


@pytest.mark.parametrize("seed", [50, 150, 250])
def test_each_class_recorded_a_second_time_makes_a_provisional_head_a_proven_one(
    site: Site, seed: int
) -> None:
    teach_all(site.store, **RIGHT)
    assert site.run().state is JobState.PROVISIONAL
    teach_all(site.store, after_s=600, seed=seed, **RIGHT)
    again = site.run()
    assert again.state is JobState.ACTIVATED, again.doc
    assert again.doc["compared_on"] == "recordings new to what serves"
    assert [(one.version, one.provisional) for one in list_versions(site.store, "lab")] == [
        (2, False),
        (1, True),
    ]


@pytest.mark.parametrize("seed", [60, 160])
def test_what_serves_is_not_asked_about_what_taught_it(site: Site, seed: int) -> None:
    teach_all(site.store, seed=seed - 50, **HARD)
    site.run(force=True)
    teach_all(site.store, after_s=600, seed=seed, **HARD)
    again = site.run()
    assert before(again)["log_loss"] > 0.5, "on its own recordings it is all but perfect"
    assert again.doc["compared_on"] == "recordings new to what serves"


def test_without_a_new_sample_the_method_that_serves_is_as_good_as_itself(site: Site) -> None:
    teach_all(site.store, **RIGHT)
    site.run(method="head_refit")
    again = site.run(method="head_refit")
    assert (again.state, again.doc["reason"]) == (JobState.REFUSED, "not_better")
    found = [round(value, 2) for value in (before_found(again), after_found(again))]
    assert found[0] == found[1]


def before_found(job: Job) -> float:
    """Log loss of what serves, as the refusal tells it."""
    return float(job.doc["detail"].split("log loss ")[2].split(")")[0])


def after_found(job: Job) -> float:
    return float(job.doc["detail"].split("log loss ")[1].split(")")[0])


def test_a_method_that_cannot_be_asked_any_more_leaves_the_stricter_question(site: Site) -> None:
    teach_all(site.store, **RIGHT)
    site.run()
    with site.store.write() as connection:
        connection.execute(sa.update(versions).values(method="of_another_release"))
    again = site.run()
    assert (again.state, again.doc["reason"]) == (JobState.REFUSED, "not_better")


def test_a_slow_method_is_not_learned_again_for_an_instant_one(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("service.trainer.incumbent.judge", lambda *_, **__: pytest.fail("it takes seconds"))
    teach_all(site.store, **RIGHT)
    site.run(method="head_refit")
    with site.store.write() as connection:
        connection.execute(sa.update(versions).values(method="bdg"))
    again = site.run(method="head_refit")
    assert again.doc["reason"] == "not_better"
    teach_all(site.store, after_s=600, seed=50, **RIGHT)
    assert site.run(method="head_refit").doc["compared_on"] == "recordings new to what serves"


def teach_activity(site: Site, *, after_s: float = 0.0, seed: int = 0, **people: int) -> None:
    for turn, (label, count) in enumerate(people.items()):
        teach(site.store, label, count, task="activity", after_s=after_s + 100 * turn, seed=seed)


def test_classes_of_other_names_are_not_the_same_classes(site: Site) -> None:
    teach_activity(site, standing=0, walking=5)
    assert site.run("activity").state is JobState.PROVISIONAL
    with site.store.write() as connection:
        connection.execute(sa.delete(samples))
    teach_activity(site, after_s=1000, seed=5, empty=0, people=5)
    renamed = site.run("activity")
    assert renamed.state is JobState.PROVISIONAL, renamed.doc
    assert (renamed.doc["metrics"]["before"], renamed.doc["compared_on"]) == (None, None)


def test_a_class_that_was_added_is_one_that_what_serves_never_tells(site: Site) -> None:
    teach_activity(site, busy=6, calm=0)
    site.run("activity")
    teach_activity(site, after_s=1000, seed=3, some=2)
    added = site.run("activity")
    assert added.state is JobState.PROVISIONAL, added.doc
    assert before(added)["by_class"]["some"] == 0.0
    assert before(added)["by_class"]["busy"] > 0.5


def test_spans_of_one_file_with_two_labels_are_two_recordings(site: Site) -> None:
    ids = [
        teach(site.store, "0", 0, seed=1, seconds=12),
        teach(site.store, "6", 6, seed=2, after_s=30, seconds=150),
        teach(site.store, "0", 0, seed=4, after_s=1000),
        teach(site.store, "6", 6, seed=5, after_s=1100, seconds=40),
    ]
    for sample, file in zip(ids, "aabc", strict=True):
        told = {"accepted": True, "reasons": [], "warnings": [], "file": {"sha256": file * 64}}
        with site.store.write() as connection:
            connection.execute(
                sa.update(samples).where(samples.c.sample == sample).values(verdict=told, origin="upload")
            )
    job = site.run()
    assert job.state is JobState.ACTIVATED, job.doc
    assert job.doc["judged_on"] == "recordings left out"


def test_windows_of_one_sample_at_a_time_are_held(store: Store, sensing: Sensing) -> None:
    def peak() -> int:
        tracemalloc.start()
        read_material(store, sensing, "lab", "counting", SPEC)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    teach(store, "0", 0)
    peak()  # what is kept for good is made once
    one = peak()
    for turn in range(1, 5):
        teach(store, str(turn), turn, after_s=100 * turn)
    assert peak() < 1.5 * one
