"""Breathing: found in somebody who is still, not in noise, drift, motion or an empty room."""

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.data.capture import blocks_of
from models.data.windows import windows_of
from models.memory import RoomMemory
from models.signal.breathing import LENGTH_S, RATE_HZ, BreathingTrack, breathing
from models.signal.link_buffer import LinkFrames
from models.signal.view import View
from models.signal.window import WindowSpec

SLOTS = round(LENGTH_S * RATE_HZ)


def made(
    per_minute: float | None, noise: float = 0.01, seconds: float = LENGTH_S, seed: int = 0
) -> np.ndarray:
    """Power series ``[time, 60]``; each series sees the chest with a strength and sign of its own."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * RATE_HZ)) / RATE_HZ
    series = 1 + noise * rng.standard_normal((len(time), 60))
    if per_minute is not None:
        series += 0.08 * np.outer(np.sin(2 * np.pi * per_minute / 60 * time), rng.uniform(-1, 1, 60))
    return series


@pytest.mark.parametrize("per_minute", [11, 15, 22, 30])
def test_the_rate_is_found(per_minute: float) -> None:
    found = breathing(made(per_minute))
    assert found is not None
    assert found.per_minute == pytest.approx(per_minute, abs=1.0)


@pytest.mark.parametrize("noise", [0.01, 0.1, 0.4])
def test_noise_is_not_breathing(noise: float) -> None:
    assert all(breathing(made(None, noise, seed=seed)) is None for seed in range(200))


def test_drift_is_not_breathing() -> None:
    for seed in range(200):
        walk = np.cumsum(np.random.default_rng(seed).standard_normal((SLOTS, 60)), axis=0)
        assert breathing(1 + 0.01 * walk) is None


def test_walking_is_not_breathing() -> None:
    rng = np.random.default_rng(4)
    series = 1 + 0.3 * rng.standard_normal((SLOTS, 60)) * rng.uniform(0.2, 1, (SLOTS, 1))
    assert breathing(series) is None


def frames(seconds: float = 24.0, per_minute: float | None = 15.0) -> LinkFrames:
    rng = np.random.default_rng(1)
    time = np.sort(rng.uniform(0, seconds, round(50 * seconds)))
    power = 1 + 0.02 * rng.standard_normal((len(time), 3, 2, 30))
    if per_minute is not None:
        power += (
            0.3
            * np.sin(2 * np.pi * per_minute / 60 * time)[:, None, None, None]
            * rng.uniform(-1, 1, (3, 2, 30))
        )
    return LinkFrames("l", "intel5300", 20, (time * 1e9).astype(np.int64), power.astype(np.float32))


def cut(whole: LinkFrames, low: int, high: int) -> LinkFrames:
    return LinkFrames("l", whole.nic, 20, whole.time_ns[low:high], whole.power[low:high])


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 1200), max_size=12))
def test_pieces_of_any_size_say_what_one_piece_says(cuts: list[int]) -> None:
    whole, one, many = frames(), BreathingTrack(), BreathingTrack()
    one.push(whole)
    edges = [0, *sorted(cuts), len(whole.time_ns)]
    for low, high in itertools.pairwise(edges):
        if high > low:
            many.push(cut(whole, max(0, low - 30), high))  # windows overlap: old frames come again
    first, second = one.found(), many.found()
    assert first is not None
    assert second is not None
    assert second.per_minute == pytest.approx(first.per_minute)
    assert second.share == pytest.approx(first.share)


def test_a_gap_starts_over_and_too_little_is_nothing() -> None:
    track, whole = BreathingTrack(), frames()
    track.push(whole)
    assert track.found() is not None
    late = cut(frames(6.0), 0, 300)
    track.push(LinkFrames("l", "intel5300", 20, late.time_ns + 100_000_000_000, late.power))
    assert track.found() is None
    assert BreathingTrack().found() is None


@pytest.mark.shared
def test_three_real_breaths(captures: Path) -> None:
    """The capture lasts 14.8 s and holds three breaths."""
    memory, rates = RoomMemory(), []
    for window in windows_of(blocks_of(captures / "intel5300" / "csidata_3breaths.dat"), WindowSpec()):
        rates += [one.per_minute for one in memory.breathing(View(window)).values()]
    assert rates
    assert rates[-1] * 14.8 / 60 == pytest.approx(3.2, abs=0.5)


@pytest.mark.shared
@pytest.mark.parametrize("room", ["RoomA", "RoomB"])
def test_nobody_breathes_in_the_empty_rooms(crowd: Path, room: str) -> None:
    memory, seen = RoomMemory(), 0
    for window in windows_of(blocks_of(crowd / room / "0p.dat.xz"), WindowSpec()):
        seen += len(memory.breathing(View(window)))
    assert seen == 0
