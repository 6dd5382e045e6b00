"""Clocks and counters that wrap, step back, are reset or stand still."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.clock import AFTER_RESET_NS, LATEST, LONGEST_PAUSE_NS, Clock, Counter
from drivers.frame import NO_SEQUENCE, FrameFlag

S = 1_000_000_000
WRAP = 2**32 * 1000


def unwrap(raw: list[int], wrap: int | None = WRAP) -> tuple[list[int], list[int]]:
    times, flags = Clock(wrap).unwrap(np.array(raw, np.int64))
    return times.tolist(), [0] * len(raw) if flags is None else flags.tolist()


def test_a_steady_clock_is_left_alone() -> None:
    assert unwrap([5 * S, 6 * S, 8 * S]) == ([5 * S, 6 * S, 8 * S], [0, 0, 0])


def test_the_wrap_is_no_jump() -> None:
    assert unwrap([WRAP - S, 0, S]) == ([WRAP - S, WRAP, WRAP + S], [0, 0, 0])


def test_a_small_step_back_is_a_late_frame() -> None:
    assert unwrap([10 * S, 12 * S, 11 * S, 13 * S]) == ([10 * S, 12 * S, 11 * S, 13 * S], [0, 0, 0, 0])


def test_a_late_frame_across_the_wrap() -> None:
    assert unwrap([WRAP - 1000, 2000, WRAP - 500, 3000])[0] == [
        WRAP - 1000,
        WRAP + 2000,
        WRAP - 500,
        WRAP + 3000,
    ]


def test_a_reset_goes_on_right_after_the_frame_before() -> None:
    times, flags = unwrap([100 * S, 101 * S, 5 * S, 6 * S])
    assert times == [100 * S, 101 * S, 101 * S + AFTER_RESET_NS, 102 * S + AFTER_RESET_NS]
    assert flags == [0, 0, FrameFlag.CLOCK_RESET, 0]


def test_a_clock_that_stands_still_is_flagged() -> None:
    assert unwrap([4000, 4000, 4000]) == (
        [4000, 4000, 4000],
        [0, FrameFlag.CLOCK_STUCK, FrameFlag.CLOCK_STUCK],
    )


def test_without_a_wrap_only_a_step_back_is_a_reset() -> None:
    assert unwrap([0, WRAP, 2 * WRAP, S], None)[1] == [0, 0, 0, FrameFlag.CLOCK_RESET]


def test_a_step_of_more_than_a_year_is_a_reset() -> None:
    far = LONGEST_PAUSE_NS + 2 * S
    times, flags = unwrap([S, S + far, 2 * S + far, 3 * S, 4 * S], None)
    assert flags == [0, FrameFlag.CLOCK_RESET, 0, FrameFlag.CLOCK_RESET, 0]
    assert times[-1] == 3 * S + 2 * AFTER_RESET_NS


@given(
    st.lists(st.sampled_from([0, S, LONGEST_PAUSE_NS - 1, 2**32 * S - 1, 2**62]), min_size=1, max_size=3000),
    st.integers(1, 50),
    st.booleans(),
)
@settings(max_examples=30, deadline=None)
def test_damaged_times_never_overflow(raw: list[int], size: int, as_recorded: bool) -> None:
    clock, values = Clock(None, as_recorded), np.array(raw * 20, np.int64)
    for start in range(0, len(values), size * 20):
        times, _ = clock.unwrap(values[start : start + size * 20])
        assert times.min() >= -LATEST
        assert times.max() <= LATEST


def test_frames_without_a_counter_among_others_get_none() -> None:
    counter = Counter(100)
    counts, flags = counter.unwrap(np.array([7, NO_SEQUENCE, 8, NO_SEQUENCE], np.int64))
    assert counts.tolist() == [7, NO_SEQUENCE, 8, NO_SEQUENCE]
    assert flags is None or not flags.any()
    assert counter.unwrap(np.array([9], np.int64))[0].tolist() == [9]


@given(st.lists(st.integers(0, WRAP - 1), max_size=40), st.integers(0, 40))
@settings(max_examples=200, deadline=None)
def test_cutting_changes_nothing(raw: list[int], cut: int) -> None:
    values = np.array(raw, np.int64)
    whole, whole_flags = Clock(WRAP).unwrap(values)
    clock = Clock(WRAP)
    parts = [clock.unwrap(values[:cut]), clock.unwrap(values[cut:])]
    assert np.concatenate([times for times, _ in parts]).tolist() == whole.tolist()
    flags = [np.zeros(len(t), np.uint32) if f is None else f for t, f in parts]
    expected = np.zeros(len(raw), np.uint32) if whole_flags is None else whole_flags
    assert np.concatenate(flags).tolist() == expected.tolist()


def test_the_counter_wraps_and_steps_back() -> None:
    counts, flags = Counter(65536).unwrap(np.array([65534, 65535, 0, 3, 1, 2]))
    assert counts.tolist() == [65534, 65535, 65536, 65539, 65540, 65541]
    assert flags is not None
    assert flags.tolist() == [0, 0, 0, 0, FrameFlag.SEQUENCE_RESET, 0]


def test_a_nic_that_counts_nothing_has_no_sequence() -> None:
    counts, flags = Counter(None).unwrap(np.array([7, 8]))
    assert counts.tolist() == [NO_SEQUENCE, NO_SEQUENCE]
    assert flags is None


def test_a_number_that_comes_again_is_kept_and_flagged() -> None:
    counts, flags = Counter(4096, repeats=True).unwrap(np.array([0, 0, 1, 2, 2]))
    assert counts.tolist() == [0, 0, 1, 2, 2]
    assert flags is not None
    assert flags.tolist() == [0, FrameFlag.SEQUENCE_REPEATED, 0, 0, FrameFlag.SEQUENCE_REPEATED]
    counts, flags = Counter(4096, repeats=True).unwrap(np.full(5, NO_SEQUENCE))
    assert counts.tolist() == [NO_SEQUENCE] * 5
    assert flags is None


def test_nothing_is_nothing() -> None:
    assert Clock(WRAP).unwrap(np.empty(0, np.int64))[0].size == 0
    assert Counter(10).unwrap(np.empty(0, np.int64))[0].size == 0


def test_as_recorded_keeps_what_steps_back_and_flags_it() -> None:
    raw = np.array([5, 6, 1, 2], np.int64) * 1_000_000_000
    times, flags = Clock(WRAP, as_recorded=True).unwrap(raw)
    assert np.array_equal(times, raw)
    assert flags is not None
    assert flags.tolist() == [0, 0, FrameFlag.CLOCK_RESET, 0]
    counts, _ = Counter(65536, as_recorded=True).unwrap(np.array([65535, 0, 9, 3]))
    assert (counts % 65536).tolist() == [65535, 0, 9, 3]
