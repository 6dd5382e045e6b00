"""Drift: quiet is tracked slowly and never far, an occupied level never, and who drifted far is told of."""

from typing import Any

import numpy as np
import pytest

from models.signal.baseline import Baseline
from models.signal.motion import Motion
from models.signal.static_profile import Profile
from service.adaptation import drift
from service.adaptation.drift import LOOK_S, LOUD_S, MOST_MOVED, Track
from service.store.schema import alerts
from service.worker import drift as watch
from tests.service.bench import Bench
from tests.service.empty_rooms import WHOLE_S, Site

PROFILE = np.linspace(-1, 1, 20)
DOCUMENT: dict[str, Any] = {
    **Baseline(log_moved=-7.0, spread=0.1, windows=60).to_json(),
    "profile": Profile(PROFILE, 0.03).to_json(),
    "made_ns": 7,
}


def track(**changed: Any) -> Track:
    found = Track.of({**DOCUMENT, **changed})
    assert found is not None
    return found


def hours(one: Track, hours: float, log_moved: float, *, profile: Any = PROFILE, empty: bool = True) -> None:
    """So long of windows that move that much, a little more or less, seeded."""
    rng = np.random.default_rng(3)
    for moved in np.exp(rng.normal(log_moved, 0.1, round(hours * 3600 / LOOK_S))):
        one.take(Motion(0.9, float(moved), 0.02, 100), profile, empty=empty)


def test_a_room_that_stays_as_it_was_has_not_drifted() -> None:
    one = track()
    hours(one, 12, -7.0)
    assert one.floor == pytest.approx(-7.0, abs=0.05)
    assert one.score() < 0.1


def test_quiet_that_rises_is_followed_slowly() -> None:
    one = track()
    hours(one, 0.5, -6.5)
    assert -6.95 < one.served() < -6.6
    hours(one, 6, -6.5)
    assert one.served() == pytest.approx(-6.5, abs=0.05)
    assert 0.3 < one.score() < 0.5


def test_the_served_floor_stays_within_a_factor_of_two() -> None:
    one = track()
    for _ in range(3):
        hours(one, 6, -6.0)
    assert one.floor == pytest.approx(-6.0, abs=0.1)
    assert one.served() == -7.0 + MOST_MOVED
    assert one.score() > 0.7
    fan = track(log_moved=-5.0)
    hours(fan, 24, -7.0)  # it was taken away
    assert fan.served() == -5.0 - MOST_MOVED
    assert fan.score() == 1.0


def test_what_no_threshold_follows_is_no_drift() -> None:
    one = track(log_moved=-7.5)
    hours(one, 12, -12.0)
    assert one.score() < 0.2


def test_an_occupied_level_is_never_taken_in() -> None:
    one = track()
    hours(one, 12, -3.0)
    assert one.floor == -7.0
    hours(one, 12, -6.0, empty=False)  # somebody sits still, and presence knows
    assert one.floor == -7.0


def test_a_few_quiet_windows_between_people_do_not_move_it_by_much() -> None:
    one = track()
    for turn in range(40):
        hours(one, LOOK_S * 30 / 3600, -3.0)
        hours(one, LOOK_S * 30 / 3600, -7.0)
        assert one.floor == pytest.approx(-7.0, abs=0.1), turn


def test_a_link_that_is_never_still_has_outgrown_its_baseline() -> None:
    one = track()
    hours(one, 12, -3.0)
    assert one.score() == pytest.approx(12 * 3600 / LOUD_S, abs=0.01)
    hours(one, 1, -7.0)
    assert one.score() < 0.1


def test_furniture_that_was_moved_is_drift_though_nothing_moves() -> None:
    one = track()
    hours(one, 6, -7.0, profile=PROFILE + np.tile([0.4, -0.4], 10))
    assert one.score() == 1.0
    changed = track()
    hours(changed, 1, -7.0, profile=np.zeros(10))
    assert changed.score() == 1.0  # other antennas


def test_a_track_goes_on_where_it_was_left() -> None:
    one = track()
    hours(one, 2, -6.5, profile=PROFILE + 0.1)
    hours(one, 1, -3.0)
    again = track(track=one.to_json())
    assert (again.floor, again.loud_s) == (one.floor, one.loud_s)
    assert again.score() == pytest.approx(one.score(), abs=0.001)


@pytest.mark.parametrize(
    "stored", [None, 3, {}, {"log_moved": "x", "profile": "y", "loud_s": []}, {"profile": [1, "a"]}]
)
def test_a_damaged_track_starts_over(stored: Any) -> None:
    one = track(track=stored)
    assert (one.floor, one.profile, one.loud_s) == (-7.0, None, 0.0)


def test_a_baseline_without_a_profile_is_tracked_by_motion_alone() -> None:
    one = track(profile=None, made_ns=None)
    hours(one, 1, -7.0, profile=np.zeros(3))
    assert one.score() < 0.1
    assert Track.of({"log_moved": "no"}) is None


@pytest.fixture
def site(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Site:
    """Time runs fast: blocks of 30 s."""
    for name, value in (("BLOCK_S", 30.0), ("TIME_CONSTANT_S", 30.0), ("LEAST_QUIET", 4)):
        monkeypatch.setattr(drift, name, value)
    monkeypatch.setattr(watch, "HOLD_S", 60.0)
    monkeypatch.setattr(watch, "BLOCKS_A_WRITE", 1)
    return Site(bench)


def calibrated(site: Site) -> None:
    site.ask()
    site.hear(WHOLE_S + 10)
    assert site.baseline()
    site.bench.turn()


def open_alerts(site: Site) -> list[str]:
    return [row["rule"] for row in site.bench.rows(alerts) if row["state"] == "raised"]


def score(site: Site) -> Any:
    return site.bench.worker.drift.scores()["l1"]


def test_a_room_without_a_baseline_has_no_score(site: Site) -> None:
    site.hear(40)
    assert site.bench.worker.drift.scores() == {}


def test_moved_furniture_suggests_a_recalibration_which_clears_it(site: Site) -> None:
    calibrated(site)
    site.hear(60)
    assert score(site) < 0.4
    assert open_alerts(site) == []
    site.hear(120, seed=5)
    assert score(site) > 0.6
    site.hear(60, seed=5)
    assert open_alerts(site) == ["recalibration_suggested"]
    (raised,) = site.bench.told("alert.raised")
    assert (raised["severity"], raised["data"]["reason"], raised["room"]) == ("warning", "drift", "b")
    site.bench.restart()
    assert score(site) > 0.6  # it was written down
    site.talker = site.bench.talker(session="s2")
    site.ask()
    site.hear(WHOLE_S + 10, seed=5)
    site.bench.turn()
    assert score(site) < 0.4
    assert open_alerts(site) == []
    assert len(site.bench.told("alert.cleared")) == 1


def test_people_are_no_drift(site: Site) -> None:
    calibrated(site)
    before = site.baseline()["log_moved"]
    site.hear(180, people=2)
    served = site.bench.worker.building.rooms["b"].baselines["l1"]
    assert isinstance(served, dict)
    assert served["log_moved"] == pytest.approx(before, abs=0.1)
    assert score(site) < 0.4


def test_the_tracked_floor_is_served_and_survives_a_restart(site: Site) -> None:
    calibrated(site)
    before = site.baseline()["log_moved"]
    site.hear(180, unrest=1.8)
    rooms = site.bench.worker.building.rooms
    served = rooms["b"].baselines["l1"]
    assert isinstance(served, dict)
    assert isinstance(served["log_moved"], float)
    assert before + 0.1 < served["log_moved"] <= before + MOST_MOVED
    assert site.baseline()["log_moved"] == before  # what was calibrated stays
    site.bench.restart()
    again = site.bench.worker.building.rooms["b"].baselines["l1"]
    assert isinstance(again, dict)
    assert again["log_moved"] == pytest.approx(served["log_moved"])
