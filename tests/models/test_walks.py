"""Stretches of motion and votes on them: the stream says what the whole says."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.signal.segments import Segment, Segmenter
from models.signal.voting import Voter, vote


def stretches(values: list[float], **more: float) -> list[Segment]:
    segmenter = Segmenter(0.5, 0.3, **more)
    found = [one for time, value in enumerate(values) for one in segmenter.push(time / 2, value)]
    return found + segmenter.finish()


def test_hysteresis_bridges_short_gaps() -> None:
    values = [0, 0, 0.6, 0.4, 0.1, 0.4, 0.6, 0, 0, 0, 0, 0.45, 0, 0, 0]
    assert stretches(values) == [Segment(1.0, 3.0)]


def test_a_stretch_that_the_end_cuts_off_is_told() -> None:
    assert stretches([0, 0.9, 0.9, 0.9]) == [Segment(0.5, 1.5)]


def test_stretches_that_are_too_short_are_none() -> None:
    assert stretches([0, 0.9, 0, 0, 0, 0, 0, 0], least_s=0.4) == []


def test_thresholds_in_the_wrong_order_are_refused() -> None:
    with pytest.raises(ValueError, match="would end"):
        Segmenter(0.2, 0.5)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.floats(0, 1), max_size=60))
def test_stretches_lie_apart_and_hold_motion(values: list[float]) -> None:
    found = stretches(values)
    for one, other in itertools.pairwise(found):
        assert other.start_s - one.end_s > 1.0
    for one in found:
        inside = values[round(2 * one.start_s) : round(2 * one.end_s) + 1]
        assert inside[0] > 0.5
        assert inside[-1] > 0.3
        assert one.end_s - one.start_s >= 0.5


def test_the_middle_of_a_walk_decides() -> None:
    sure, wrong = np.array([0.9, 0.1]), np.array([0.0, 1.0])
    rows = np.array([wrong, wrong, sure, sure, wrong])
    answer = vote([0, 1, 4, 5, 9], rows, 0, 9)
    assert answer is not None
    assert answer.argmax() == 0
    assert vote([], np.zeros((0, 2)), 0, 1) is None
    lonely = vote([30.0], np.array([wrong]), 0, 9)
    assert lonely is not None
    assert lonely.tolist() == wrong.tolist()


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 50), st.floats(0, 1)), min_size=1, max_size=40), st.floats(1, 49))
def test_the_stream_votes_as_the_whole_does(windows: list[tuple[float, float]], end_s: float) -> None:
    windows = sorted(windows)
    voter = Voter()
    for time, share in windows:
        voter.push(time, np.array([share, 1 - share]))
    rows = np.array([[share, 1 - share] for _, share in windows])
    online, offline = voter.close(0.0, end_s), vote([time for time, _ in windows], rows, 0.0, end_s)
    assert online is not None
    assert offline is not None
    assert np.allclose(online, offline)
