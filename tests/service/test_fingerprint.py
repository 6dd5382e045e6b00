"""Fingerprints: they know frames again whatever was cut, and never take others for them."""

from dataclasses import replace

import numpy as np
import pytest

from drivers.frame import FrameBlock
from models.signal.window import Window
from service.adaptation.fingerprint import Fingerprint, FrameNumbers, numbers_of
from tests.models import make

T0, S = make.EPOCH_NS, 1_000_000_000


def numbers(windows: list[Window]) -> list[FrameNumbers]:
    found, seen_ns = list[FrameNumbers](), 0
    for window in windows:
        found.append(numbers_of(window, seen_ns))
        seen_ns = window.end_ns
    return found


def fingerprint(block: FrameBlock, from_s: float = 0, to_s: float = 1e6, size: int = 32) -> Fingerprint:
    span = T0 + round(from_s * S), T0 + round(to_s * S)
    end_ns = min(span[1], int(block.table["capture_ns"][-1]))
    return Fingerprint.of(numbers(make.windows(block, size)), span[0], end_ns)


def later(block: FrameBlock, by_s: float) -> FrameBlock:
    table = block.table.copy()
    table["capture_ns"] += round(by_s * S)
    return replace(block, table=table)


@pytest.mark.parametrize("by_s", [0, 0.013, 77.7])
@pytest.mark.parametrize("size", [1, 7, 32])
def test_the_same_frames_are_known_again_whenever_they_come_and_however_they_are_cut(
    by_s: float, size: int
) -> None:
    block = make.recording(30, 1)
    again = later(block.take(slice(1, None)), by_s)
    assert fingerprint(block).shared(fingerprint(again, size=size)) > 0.9


def test_other_frames_are_not() -> None:
    seen = [fingerprint(make.recording(30, people, seed=seed)) for people in (0, 1) for seed in (0, 7)]
    assert not any(one.shared(other) for one in seen for other in seen if one is not other)


@pytest.mark.parametrize(("people", "seconds"), [(1, 60), (0, 600)])
def test_a_part_of_a_recording_is_known_and_parts_beside_each_other_are_others(
    people: int, seconds: int
) -> None:
    block = make.recording(seconds, people)
    whole, part, beside = (fingerprint(block, *span) for span in ((0, seconds), (20, 25), (25, seconds)))
    assert whole.shared(part) == part.shared(whole) > 0.9
    assert part.shared(beside) == 0
    assert fingerprint(block, 0, seconds / 2).shared(
        fingerprint(block, seconds / 4, seconds)
    ) == pytest.approx(0.5, abs=0.15)


def test_a_long_one_is_kept_in_a_few_kilobytes_of_text() -> None:
    long = fingerprint(make.recording(600, 1))
    assert len(long.to_text()) < 30_000
    assert np.array_equal(Fingerprint.from_text(long.to_text()).number, long.number)
    assert Fingerprint.from_text("").shared(long) == long.shared(Fingerprint()) == 0


def test_one_frame_that_comes_again_and_again_makes_no_two_recordings_one() -> None:
    stuck = make.recording(20, 1)
    stuck.raw[:] = stuck.raw[:1]
    assert fingerprint(stuck).shared(fingerprint(stuck)) == 0
    half = make.recording(20, 1, seed=5)
    half.raw[::2] = stuck.raw[0]
    other = make.recording(20, 1, seed=6)
    other.raw[::2] = stuck.raw[0]
    assert fingerprint(half).shared(fingerprint(other)) == 0
