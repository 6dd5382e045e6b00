"""What is unknown is not vacant: the tracked floor follows only windows that are known to be vacant."""

import pytest

from models.prediction import Prediction, Reason
from models.signal.window import Window
from service.adaptation import drift
from service.rooms.config import PresenceDelays
from service.store.rooms import get_room, put_room
from service.worker import drift as watch
from tests.service.bench import Bench
from tests.service.empty_rooms import WHOLE_S, Site
from tests.service.frames import MODEL

VACANT = Prediction("presence", "vacant", 0.9, model=MODEL)
OCCUPIED = Prediction("presence", "occupied", 0.9, model=MODEL)


@pytest.fixture
def site(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A calibrated room in which time runs fast: blocks of 30 s."""
    for name, value in (("BLOCK_S", 30.0), ("TIME_CONSTANT_S", 30.0), ("LEAST_QUIET", 4)):
        monkeypatch.setattr(drift, name, value)
    monkeypatch.setattr(watch, "BLOCKS_A_WRITE", 1)
    found = Site(bench)
    found.ask()
    found.hear(WHOLE_S + 10)
    found.bench.turn()
    return found


def moved_by(site: Site, said: Prediction) -> float:
    """How far the served floor goes in three minutes of a room that moves more, while this is said of it."""
    usual = site.bench.sensing._answer

    def answer(task: str, window: Window) -> Prediction:
        return said if task == "presence" else usual(task, window)

    site.bench.sensing._answer = answer  # type: ignore[method-assign]
    before = served(site)
    site.hear(180, unrest=1.8)
    return served(site) - before


def served(site: Site) -> float:
    document = site.bench.worker.building.rooms["b"].baselines["l1"]
    assert isinstance(document, dict)
    assert isinstance(document["log_moved"], float)
    return document["log_moved"]


def test_a_room_that_is_known_to_be_vacant_is_followed(site: Site) -> None:
    assert moved_by(site, VACANT) > 0.1


@pytest.mark.parametrize("reason", [Reason.MODEL_ERROR, Reason.UNCALIBRATED, Reason.NO_MODEL])
def test_a_room_of_which_nothing_is_known_is_not(site: Site, reason: Reason) -> None:
    assert moved_by(site, Prediction.unknown("presence", reason)) == 0


def test_a_window_in_which_somebody_is_seen_is_not_though_the_state_still_waits(site: Site) -> None:
    config = get_room(site.bench.store, "b")
    assert config is not None
    patient = config.config.model_copy(update={"presence": PresenceDelays(on_delay_s=3600)})
    put_room(site.bench.store, "b", patient, check=lambda _: None, actor="me", nics={})
    site.bench.turn()
    assert moved_by(site, OCCUPIED) == 0
    assert site.bench.state()["value"] == "vacant"
