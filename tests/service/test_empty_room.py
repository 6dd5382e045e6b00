"""What speaks against an empty room, window by window; and what its baseline looks like."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from drivers.wire import Source
from models.prediction import ModelRef, Prediction
from models.signal.baseline import Baseline
from models.signal.static_profile import LEAST_SPREAD, Profile, static_profile
from models.signal.window import RoomBuffer, Window, WindowSpec
from service.adaptation.empty_room import EmptyRoom, RefusedError
from tests.service.empty_rooms import room
from tests.service.frames import T0, S, frames

SPEC = WindowSpec()
VACANT = Prediction("presence", "vacant", 0.9, model=ModelRef("m", "1", "0", "nothing"))


def windows(*blocks: Any) -> Iterator[Window]:
    buffer = RoomBuffer(SPEC)
    for block in blocks:
        buffer.push("l1", block)
        yield from buffer.closed()


def collected(*blocks: Any, baselines: Any = None, made: Any = (VACANT,)) -> EmptyRoom:
    empty = EmptyRoom(T0 + 4 * S, 60.0, SPEC, baselines or {})
    for window in windows(*blocks):
        empty.take(window, Source.LIVE, made)
    return empty


def test_an_empty_room_is_described() -> None:
    empty = collected(room(0, 70), room(70, 60))
    assert empty.complete
    assert empty.progress == 1.0
    found = empty.judge()["l1"]
    baseline, profile = Baseline.from_json(found), Profile.from_json(found["profile"])
    assert baseline is not None
    assert profile is not None
    assert baseline.windows == 57
    assert profile.spreads_from(profile.mean) == 0.0
    assert profile.spreads_from(profile.mean + LEAST_SPREAD * 5) >= 1.0


def test_somebody_who_only_breathes_is_noticed() -> None:
    breathing = Prediction(
        "presence", "occupied", 0.9, model=VACANT.model, extras={"breathing_per_minute": 14.0}
    )
    with pytest.raises(RefusedError) as refused:
        collected(room(0, 70), made=(breathing,))
    assert refused.value.reason == "breathing_seen"


def test_what_the_new_baseline_would_tell_as_occupied_is_no_empty_room() -> None:
    empty = collected(room(0, 64, unrest=0.0), room(64, 66, unrest=1.5))
    with pytest.raises(RefusedError) as refused:
        empty.judge()
    assert refused.value.reason == "hold_out_occupied"


def test_what_always_moved_in_the_empty_room_may_go_on() -> None:
    fan = (room(0, 70, unrest=6.0), room(70, 60, unrest=6.0))
    with pytest.raises(RefusedError) as refused:
        collected(*fan)
    assert refused.value.reason == "motion_seen"
    known = {"l1": Baseline(-3.5, 0.1, 60).to_json()}
    assert collected(*fan, baselines=known).judge()["l1"]["log_moved"] == pytest.approx(-3.6, abs=0.4)


def test_frames_from_elsewhere_end_it() -> None:
    empty = collected(room(0, 20))
    last = list(windows(room(0, 40)))[-1]
    with pytest.raises(RefusedError) as refused:
        empty.take(last, Source.SIMULATED, [VACANT])
    assert refused.value.reason == "source_changed"


def test_a_link_that_changes_its_antennas_has_no_baseline() -> None:
    other = frames(68, 70)
    with pytest.raises(RefusedError) as refused:
        collected(room(0, 68), other).judge()
    assert refused.value.reason == "antennas_changed"


def test_profiles_of_other_antennas_are_infinitely_far() -> None:
    one = static_profile(next(windows(room(0, 10))).parts[0])
    assert one.shape == (30,)
    profile = Profile.of([one, one])
    assert profile.spreads_from(one[:10]) == np.inf
    with pytest.raises(ValueError, match="one number of antennas"):
        Profile.of([one, one[:10]])


@pytest.mark.parametrize(
    "stored", [None, {}, {"mean": [], "spread": 0.1}, {"mean": [1.0], "spread": -1.0}, {"mean": ["x"]}]
)
def test_a_stored_document_that_is_no_profile_is_none(stored: Any) -> None:
    assert Profile.from_json(stored) is None
