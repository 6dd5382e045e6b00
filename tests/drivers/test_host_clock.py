"""Simulated cards with clocks of their own: offset, drift, queues, resets, wraps and pauses."""

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.clock import Clock
from drivers.frame import FrameFlag
from drivers.host_clock import SLEW, STUCK_FRAMES, HostClock
from tests.drivers.intel import make_block

S, MS = 1_000_000_000, 1_000_000
EPOCH = 1_700_000_000 * S
WRAP = 2**32 * 1000
Ints = npt.NDArray[np.int64]


class Card:
    """A clock that counts microseconds in 32 bits from a zero of its own, and runs `drift_ppm` fast."""

    def __init__(self, drift_ppm: float = 0.0, zero_s: float = 1234.5) -> None:
        self.drift, self.zero_ns = drift_ppm * 1e-6, round(zero_s * S)
        self.model, self.unwrap = HostClock(), Clock(WRAP)

    def reads(self, true_ns: Ints) -> Ints:
        """The clock's reading at Unix times."""
        since = true_ns - EPOCH
        own: Ints = since + np.rint(since * self.drift).astype(np.int64) + self.zero_ns
        return own // 1000 * 1000 % WRAP

    def take(self, true_ns: Ints, delay_ns: int) -> Ints:
        """Frames made at these times and read together, `delay_ns` after the last."""
        times, flags = self.unwrap.unwrap(self.reads(true_ns))
        reset = np.zeros(len(times), np.bool_) if flags is None else (flags & FrameFlag.CLOCK_RESET) != 0
        return self.model.convert(times, reset, int(true_ns[-1]) + delay_ns)


def run(
    card: Card, seconds: float, *, start_s: float = 0.0, every_s: float = 0.1, frames: int = 2, seed: int = 0
) -> tuple[Ints, Ints]:
    """True and found times of frames that reach the reader 1 ms late, and later by what a queue adds."""
    rng = np.random.default_rng(seed)
    true, found = [], []
    delays = MS + rng.exponential(8 * MS, round(seconds / every_s)).astype(np.int64)
    for turn, delay in enumerate(delays):
        at = EPOCH + round((start_s + turn * every_s) * S)
        times = at + np.arange(frames) * round(every_s * S) // frames
        true.append(times)
        found.append(card.take(times, int(delay)))
    return np.concatenate(true), np.concatenate(found)


@pytest.mark.parametrize("drift_ppm", [-50.0, 0.0, 50.0])
def test_hours_with_drift_stay_on_the_hosts_time(drift_ppm: float) -> None:
    """Three hours: the 32-bit clock wraps twice on the way."""
    card = Card(drift_ppm)
    true, found = run(card, 3 * 3600, every_s=0.5)
    error = found - true
    assert np.all(np.diff(found) > 0)
    assert np.abs(error[len(error) // 10 :]).max() < 4 * MS
    report = card.model.report()
    assert report.drift_ppm == pytest.approx(drift_ppm, abs=2)
    assert report.resets == 0
    assert report.offset_ms == pytest.approx((found[-1] - card.model._newest) / 1e6, abs=5)


@given(
    st.floats(-50, 50),
    st.floats(0, 4290),
    st.integers(1, 5),
    st.integers(0, 1000),
    st.sampled_from([0.05, 0.2]),
)
@settings(max_examples=25, deadline=None)
def test_time_runs_on_and_nearly_as_fast_as_the_card(
    drift_ppm: float, zero_s: float, frames: int, seed: int, every_s: float
) -> None:
    card = Card(drift_ppm, zero_s)
    true, found = run(card, 90, every_s=every_s, frames=frames, seed=seed)
    assert np.all(np.diff(found) > 0)
    own = np.diff(true) * (1 + drift_ppm * 1e-6)
    assert np.all(np.abs(np.diff(found) - own) <= SLEW * own + 2_000)
    assert np.abs((found - true)[len(true) // 2 :]).max() < 60 * MS
    assert card.model.resets == 0


def test_a_pause_of_half_a_minute_is_a_gap_and_nothing_else() -> None:
    card = Card(30.0)
    _, before = run(card, 120)
    true, after = run(card, 60, start_s=150, seed=1)
    assert after[0] - before[-1] == pytest.approx(30 * S, abs=0.2 * S)
    assert np.abs(after - true).max() < 60 * MS
    assert card.model.resets == 0


@pytest.mark.parametrize("jump_s", [-1000.0, -3.0, 5.0, 1000.0])
def test_a_reset_is_anchored_again_and_counted(jump_s: float) -> None:
    card = Card(20.0, zero_s=2000)
    _, before = run(card, 60)
    card.zero_ns += round(jump_s * S)
    true, after = run(card, 60, start_s=60, seed=1)
    assert np.all(np.diff(np.concatenate([before, after])) > 0)
    assert np.abs(after - true)[200:].max() < 60 * MS
    assert card.model.resets == 1


def test_a_jump_in_the_middle_of_one_read_splits_it() -> None:
    card = Card()
    run(card, 10)
    at = EPOCH + 10 * S + np.arange(10) * 5 * MS
    first, second = card.unwrap.unwrap(card.reads(at[:5]))[0], card.unwrap.unwrap(card.reads(at[5:]))[0]
    times = np.concatenate([first, second + 400 * S])
    found = card.model.convert(times, np.zeros(10, np.bool_), int(at[-1]) + MS)
    assert np.all(np.diff(found) > 0)
    assert np.abs(found - at).max() < 60 * MS
    assert card.model.resets == 1


def test_a_reader_that_was_held_up_is_not_a_reset() -> None:
    """Four seconds of frames are read at once, late: their times are those at which they were made."""
    card = Card()
    run(card, 30)
    true = EPOCH + 30 * S + np.arange(40) * 100 * MS
    found = np.concatenate([card.take(true[i : i + 1], 4 * S - i * 100 * MS) for i in range(40)])
    assert np.abs(found - true).max() < 60 * MS
    assert card.model.resets == 0


def test_a_clock_that_lost_a_whole_turn_is_anchored_when_that_lasts() -> None:
    """A pause of one wrap and a bit cannot be seen in the counter, only beside the host's clock."""
    card = Card()
    run(card, 10)
    true, found = run(card, 30, start_s=10 + WRAP / S + 60, seed=1)
    assert card.model.resets == 1
    assert np.abs((found - true)[-100:]).max() < 60 * MS


def test_a_host_clock_that_is_set_back_does_not_take_time_back() -> None:
    card, model = Card(), HostClock()
    last = 0
    for turn in range(400):
        host = EPOCH + turn * 100 * MS - (3600 * S if turn >= 200 else 0)
        found = model.convert(np.array([turn * 100 * MS + card.zero_ns]), np.zeros(1, np.bool_), host)
        assert found[0] > last
        last = int(found[0])
    assert model.resets == 1


def test_times_that_are_the_hosts_stay_as_they_are() -> None:
    model, rng = HostClock(), np.random.default_rng(0)
    for turn in range(1000):
        times = EPOCH + turn * 50 * MS + np.arange(3) * 10 * MS
        found = model.convert(times, np.zeros(3, np.bool_), int(times[-1] + rng.exponential(30 * MS)))
        assert np.array_equal(found, times)
    report = model.report()
    assert (report.offset_ms, report.drift_ppm, report.resets) == (0.0, 0.0, 0)


def test_a_clock_that_stands_still_gives_way_to_the_hosts() -> None:
    """As in a log whose driver had no valid PHY result: timestamp 4 in every record."""
    model, found = HostClock(), []
    for turn in range(100):
        host = EPOCH + turn * 50 * MS
        found.append(model.convert(np.full(5, 4000), np.zeros(5, np.bool_), host))
    late = np.concatenate(found[-40:])
    assert np.allclose(np.diff(late), 10 * MS, atol=2)
    assert late[-1] == EPOCH + 99 * 50 * MS
    assert model.report().offset_ms is None
    assert len(np.unique(np.concatenate(found[: STUCK_FRAMES // 5]))) == 1
    moving = model.convert(np.arange(1, 6) * 10 * MS, np.zeros(5, np.bool_), EPOCH + 100 * 50 * MS)
    assert np.all(np.diff(np.concatenate([late, moving])) > 0)
    assert model.resets == 1


def test_frames_of_several_shapes_keep_their_order() -> None:
    model, whole = HostClock(), make_block(40, start_us=10)
    odd, even = whole.take(slice(1, None, 2)), whole.take(slice(0, None, 2))
    model.on_host_time([odd, even], EPOCH)
    times = np.empty(40, np.int64)
    times[odd.index], times[even.index] = odd.table["capture_ns"], even.table["capture_ns"]
    assert np.array_equal(np.diff(times), np.full(39, 10 * MS))
    assert times[-1] == EPOCH
