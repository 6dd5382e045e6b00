"""Recalibrations in the worker where models fail or see people, and where a link becomes another one."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from models.prediction import Prediction, Reason
from models.signal.baseline import Baseline
from models.signal.window import Window
from service.adaptation.states import JobState
from tests.service.bench import Bench
from tests.service.empty_rooms import RATE, WHOLE_S, Site, room
from tests.service.frames import MODEL

A, B = 0x0016EA000001, 0x0016EA000002
OLD = {**Baseline(log_moved=-9.0, spread=0.1, windows=20).to_json(), "made_ns": 5}
Answer = Callable[[str, Window], Prediction]


@pytest.fixture
def site(bench: Bench) -> Site:
    return Site(bench)


def say(site: Site, **answers: Prediction) -> None:
    """Let the models say this of every window from now on, by task."""
    usual: Answer = site.bench.sensing._answer

    def answer(task: str, window: Window) -> Prediction:
        return answers.get(task) or usual(task, window)

    site.bench.sensing._answer = answer  # type: ignore[method-assign]


def ended(site: Site, job: str) -> tuple[JobState, str | None]:
    found = site.job(job)
    return found.state, found.doc.get("reason")


@pytest.mark.parametrize("dry_run", [False, True])
@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (Prediction.unknown("presence", Reason.MODEL_ERROR), "model_error"),
        (Prediction("presence", "occupied", 0.99, model=MODEL), "occupied_seen"),
        (Prediction("counting", 3, 0.9, (2, 4), model=MODEL), "people_counted"),
    ],
)
def test_a_model_that_fails_or_sees_people_refuses(
    site: Site, said: Prediction, reason: str, *, dry_run: bool
) -> None:
    site.keep(l1=OLD)
    say(site, **{said.task: said})
    job = site.ask(dry_run=dry_run)
    site.hear(WHOLE_S + 10)
    assert ended(site, job) == (JobState.REFUSED, reason)
    assert site.baseline() == OLD
    (event,) = site.bench.told("recalibration.ended")
    assert event["data"]["reason"] == reason


def test_a_room_that_is_not_calibrated_yet_can_be(site: Site) -> None:
    say(site, presence=Prediction.unknown("presence", Reason.UNCALIBRATED))
    job = site.ask()
    site.hear(WHOLE_S + 10)
    assert ended(site, job) == (JobState.ACTIVATED, None)


def test_a_link_that_roams_meanwhile_keeps_its_stale_mark(site: Site) -> None:
    site.keep(l1=OLD)
    site.talker.hello(transmitter=A)
    job = site.ask()
    site.hear(30)
    site.talker.hello(transmitter=B)
    site.hear(100, seed=9)
    assert ended(site, job) == (JobState.REFUSED, "link_roamed")
    assert "l1 follows another sender" in site.job(job).doc["detail"]
    assert site.baseline()["stale"]["reason"] == "link_roamed"
    assert site.baseline()["log_moved"] == OLD["log_moved"]
    again = site.ask()
    site.hear(WHOLE_S + 10, seed=9)
    assert ended(site, again) == (JobState.ACTIVATED, None)
    assert "stale" not in site.baseline()


def test_a_link_that_roams_at_the_very_end_has_no_baseline(site: Site) -> None:
    site.talker.hello(transmitter=A)
    job = site.ask()
    site.hear(WHOLE_S - 2)
    assert site.job(job).state is JobState.RUNNING
    site.talker.hello(transmitter=B)
    site.hear(10)
    assert ended(site, job) == (JobState.REFUSED, "link_roamed")
    assert site.baseline() == {}


def test_the_other_links_of_the_room_get_their_baselines(site: Site) -> None:
    other = site.bench.talker("l2", session="s2")
    site.keep(l1=OLD, l2=OLD)

    def hear(seconds: int, **how: Any) -> None:
        """Both links in turn, second by second: a window waits for neither."""
        heard = [(site.talker, room(site.now_s, seconds, **how)), (other, room(site.now_s, seconds, seed=5))]
        for second in range(seconds):
            for talker, block in heard:
                talker.send(block.take(slice(round(second * RATE), round((second + 1) * RATE))))
        site.now_s += seconds
        site.settle()

    site.talker.hello(transmitter=A)
    hear(5)
    job = site.ask()
    hear(30)
    site.talker.hello(transmitter=B)
    hear(100, seed=9)
    assert ended(site, job) == (JobState.ACTIVATED, None), site.job(job).doc
    told = site.job(job).doc
    assert set(told["calibrated_links"]) == {"l2"}
    assert (told["links_roamed"], told["links_without_enough_frames"]) == (["l1"], [])
    assert site.baseline("l1")["stale"]["reason"] == "link_roamed"
    assert site.baseline("l2")["job"] == job


def test_a_roam_before_people_have_left_is_none_of_its_business(site: Site) -> None:
    site.talker.hello(transmitter=A)
    job = site.ask(start_delay_s=30)
    site.talker.hello(transmitter=B)
    site.hear(10)
    site.bench.later(31)
    site.hear(WHOLE_S + 10)
    assert ended(site, job) == (JobState.ACTIVATED, None)
    assert np.isfinite(site.baseline()["log_moved"])
