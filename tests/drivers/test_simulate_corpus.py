"""Corpora for activities, walks, places, breathing: labels, times, and again from the same seed."""

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from drivers.frame import FrameBlock
from drivers.simulate.corpus import (
    breathing_windows,
    labelled_activities,
    labelled_positions,
    labelled_stands,
    labelled_walks,
)
from drivers.simulate.corpus_positions import reference_cells

Corpus = Callable[[int], Iterator[tuple[Any, ...]]]
CORPORA: dict[str, Corpus] = {
    "activities": lambda seed: labelled_activities(seed, 1, 2, 6.0),
    "walks": lambda seed: labelled_walks(seed, 1, 3, 1),
    "stands": lambda seed: labelled_stands(seed, 1, 2, 1, seconds=2.0),
    "positions": lambda seed: labelled_positions(seed, 2, 1.0, 2.0),
    "breathing": lambda seed: breathing_windows(seed, 1, 2, 6.0, empty=1),
}


def times_of(blocks: list[FrameBlock]) -> np.ndarray:
    return np.sort(np.concatenate([block.table["capture_ns"] for block in blocks]))


def raw_of(found: list[tuple[Any, ...]]) -> list[np.ndarray]:
    return [block.raw for item in found for block in item[-1]]


@pytest.mark.parametrize("name", CORPORA)
def test_the_same_seed_gives_the_same_and_another_gives_another(name: str) -> None:
    first, again, other = (list(CORPORA[name](seed)) for seed in (3, 3, 4))
    assert [item[:-1] for item in first] == [item[:-1] for item in again]
    for one, two in zip(raw_of(first), raw_of(again), strict=True):
        np.testing.assert_array_equal(one, two)
    one, two = raw_of(first)[0], raw_of(other)[0]
    assert one.shape != two.shape or (one != two).any()


def test_activities_cover_their_recordings_on_the_frames_clock() -> None:
    for room, recording, spans, blocks in labelled_activities(2, 2, 2, 30.0):
        assert room in {"sim-00200000", "sim-00200001"}
        assert recording in {0, 1}
        assert all(before.to_ns == after.from_ns for before, after in pairwise(spans))
        times = times_of(blocks)
        assert spans[0].from_ns <= times[0]
        assert spans[-1].to_ns - spans[0].from_ns == 30 * 10**9
        assert abs(times[-1] - spans[-1].to_ns) < 10**9


def test_a_walking_span_moves_the_frames_more_than_a_sitting_one() -> None:
    moved: dict[str, list[float]] = {"walking": [], "sitting": []}
    for _, _, spans, blocks in labelled_activities(1, 4, 1, 40.0, ("walking", "sitting")):
        for span in spans:
            for block in blocks if span.label in moved else ():
                times = block.table["capture_ns"]
                inside = (times > span.from_ns + 10**9) & (times < span.to_ns - 10**9)
                if inside.sum() > 50:
                    size = np.log(np.abs(block.csi()[inside]) + 1)
                    moved[span.label].append(float(np.median(size.std(axis=0))))
    assert np.median(moved["walking"]) > 2 * np.median(moved["sitting"])


def test_walks_are_balanced_and_begin_and_end_in_an_empty_corridor() -> None:
    found = list(labelled_walks(1, 1, 6, 2))
    assert sorted(label for _, _, label, _ in found) == sorted(["none", "metal", "liquid"] * 4)
    assert [(walk.day, walk.number) for _, walk, _, _ in found] == [(d, n) for d in (0, 1) for n in range(6)]
    for _, walk, _, blocks in found:
        times = times_of(blocks)
        assert times[0] == pytest.approx(walk.from_ns - 1.5e9, abs=3e8)
        assert times[-1] == pytest.approx(walk.to_ns + 1.5e9, abs=3e8)


def test_positions_visit_every_cell_every_day() -> None:
    found = list(labelled_positions(3, 2, 2.0, 1.5, size_m=(6, 5, 2.7)))
    cells = reference_cells((6, 5), 1.5)
    for day in (0, 1):
        visits = [item for item in found if item[1] == day]
        assert sorted(item[2] for item in visits) == list(range(len(cells)))
    for room, _, cell, x, y, blocks in found:
        assert room == "sim-00000003"
        assert (x, y) == pytest.approx(tuple(cells[cell]))
        times = times_of(blocks)
        assert (times[-1] - times[0]) / 1e9 == pytest.approx(2, abs=0.3)
    assert [item[2] for item in found[: len(cells)]] != [item[2] for item in found[len(cells) :]]


def test_cells_need_a_spacing() -> None:
    with pytest.raises(ValueError, match="cells 0 m apart"):
        reference_cells((5, 4), 0.0)
    assert reference_cells((1, 1), 0.5).tolist() == [[0.5, 0.5]]


def test_breathing_shows_at_the_rate_that_the_label_says() -> None:
    errors = []
    for _, breaths, blocks in breathing_windows(2, 6, 2, 30.0, rate_hz=40.0):
        whole = [block for block in blocks if block.shape == blocks[0].shape]
        size = np.log(np.abs(np.concatenate([block.csi() for block in whole])) + 0.3)
        size = (size - size.mean(axis=1, keepdims=True)).reshape(len(size), -1)  # no level of any stream
        times = np.concatenate([block.table["capture_ns"] for block in whole]) / 1e9
        even = np.arange(times[0], times[-1], 0.1)
        series = np.stack([np.interp(even, times, column) for column in size.T[::5]], axis=1)
        power = (np.abs(np.fft.rfft(series - series.mean(axis=0), 2048, axis=0)) ** 2).sum(axis=1)
        frequency = np.fft.rfftfreq(2048, 0.1)
        band = (frequency > 0.12) & (frequency < 0.5)
        assert breaths is not None
        errors.append(abs(60 * frequency[band][power[band].argmax()] - breaths))
    assert np.median(errors) < 1.0


def test_empty_windows_say_that_nobody_breathes() -> None:
    rates = [breaths for _, breaths, _ in breathing_windows(2, 1, 1, 4.0, empty=2)]
    assert [rate is None for rate in rates] == [False, True, True]


def test_stands_are_balanced_and_hold_the_time_of_standing_alone() -> None:
    found = list(labelled_stands(1, 1, 4, 2, seconds=5.0))
    assert sorted(label for _, _, label, _ in found) == sorted(["none", "metal"] * 4)
    assert [(stand.day, stand.number) for _, stand, _, _ in found] == [
        (d, n) for d in (0, 1) for n in range(4)
    ]
    for _, stand, _, blocks in found:
        times = times_of(blocks)
        assert stand.to_ns - stand.from_ns == 5 * 10**9
        assert stand.from_ns <= times[0] <= times[-1] < stand.to_ns
        assert times[-1] - times[0] > 4.5e9


def test_who_stands_changes_the_frames_more_slowly_than_who_walks() -> None:
    def moved(blocks: list[FrameBlock]) -> float:
        size = np.log(np.concatenate([np.abs(block.csi()) for block in blocks]) + 1)
        middle = size[len(size) // 2 - 100 : len(size) // 2 + 100]  # of a walk: on the link
        return float(np.median((middle[10:] - middle[:-10]).std(axis=0)))

    stands = [moved(blocks) for *_, blocks in labelled_stands(2, 2, 4, 1)]
    walks = [moved(blocks) for *_, blocks in labelled_walks(2, 2, 4, 1)]
    assert np.median(walks) > 1.5 * np.median(stands)
