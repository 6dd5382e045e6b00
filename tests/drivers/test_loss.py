"""Frames that never came: counted where a counter counts them, told by time, or not known and said so."""

from pathlib import Path

import numpy as np
import pytest

from drivers import intel5300
from drivers.frame import NO_SEQUENCE
from drivers.loss import OTHER_PACKETS, Loss, RunningLoss, estimate
from drivers.stream import Stream
from tests.drivers.intel import make_block

MS = 1_000_000
CAPTURES = Path(__file__).resolve().parents[3] / "shared" / "captures"


def evenly(frames: int, *, jitter: float = 0.02, seed: int = 0) -> np.ndarray:
    """Times 10 ms apart, give or take a share of that."""
    rng = np.random.default_rng(seed)
    return ((np.arange(frames) + rng.uniform(-jitter, jitter, frames)) * 10 * MS).astype(np.int64)


def losing(frames: int, share: float, seed: int = 1) -> np.ndarray:
    """Rows that are left when so many are lost; the first and last stay."""
    kept = np.random.default_rng(seed).uniform(size=frames) >= share
    kept[[0, -1]] = True
    return np.flatnonzero(kept)


NO_COUNTER = np.full(1000, NO_SEQUENCE)


@pytest.mark.parametrize("share", [0.0, 0.05, 0.3])
def test_counter_and_timing_find_the_same(share: float) -> None:
    rows = losing(1000, share)
    lost = 1000 - len(rows)
    counted = estimate(rows.astype(np.int64), evenly(1000)[rows])
    assert (counted.missing, counted.method, counted.why) == (lost, "counter", None)
    timed = estimate(NO_COUNTER[rows], evenly(1000)[rows])
    assert (timed.missing, timed.gaps, timed.method) == (counted.missing, counted.gaps, "timing")
    assert timed.why == "no counter"


def test_a_counter_that_counts_other_traffic_is_not_believed() -> None:
    counts = np.cumsum(np.random.default_rng(0).integers(2, 60, 500))
    found = estimate(counts, evenly(500))
    assert (found.missing, found.method) == (0, "timing")
    assert found.why is not None
    assert "does not count these frames" in found.why


def test_a_counter_that_jumps_where_no_time_passed_counts_packets_to_others() -> None:
    """802.11 sequence numbers: one in ten goes to somebody else, and really lost are only a few."""
    rows = losing(1000, 0.03)
    counts = rows + np.cumsum(np.random.default_rng(2).uniform(size=len(rows)) < 0.1)
    times = evenly(1000)[rows]
    found = estimate(counts, times)
    assert (found.missing, found.method, found.why) == (1000 - len(rows), "timing", OTHER_PACKETS)
    live = running(counts, times)
    assert (live.method, live.why) == ("timing", OTHER_PACKETS)
    assert live.missing == pytest.approx(1000 - len(rows), abs=3)


def test_what_cannot_be_known_is_unknown_with_a_reason() -> None:
    random = np.cumsum(np.random.default_rng(0).exponential(10 * MS, 500)).astype(np.int64)
    assert estimate(NO_COUNTER[:500], random) == Loss(
        None, None, "unknown", "no counter, and the frames come unevenly"
    )
    still = np.full(30, 7)
    assert estimate(still, np.full(30, 4)).why == "the counter stands still, and the clock stands still"
    assert "too few" in (estimate(still[:5], evenly(5)).why or "")
    assert estimate(still[:1], evenly(1)).method == "unknown"


def test_a_pause_is_not_a_loss_by_time_but_by_the_counter() -> None:
    times = evenly(400)
    times[200:] += 30_000 * MS
    assert estimate(NO_COUNTER[:400], times).missing == 0
    assert estimate(np.r_[0:200, 3200:3400], times).missing == 3000


def running(counts: np.ndarray, times: np.ndarray, size: int = 16) -> Loss:
    block, found = make_block(len(counts), ntx=1), RunningLoss()
    block.table["sequence"], block.table["capture_ns"] = counts, times
    for start in range(0, len(counts), size):
        found.add(block.take(slice(start, start + size)))
    return found.loss()


def test_a_running_stream_follows_the_same_rule() -> None:
    rows = losing(1000, 0.1)
    lost, times = 1000 - len(rows), evenly(1000)[rows]
    assert running(rows, times) == Loss(lost, None, "counter", None)
    half = len(rows) // 2
    assert running(np.roll(rows, half), np.roll(times, half)).missing == lost
    timed = running(np.full(len(rows), 5), times)
    assert (timed.method, timed.why) == ("timing", "the counter stands still")
    assert timed.missing == pytest.approx(lost, abs=6), "the first few frames only teach the interval"
    other = running(np.cumsum(np.random.default_rng(0).integers(5, 60, 500)), evenly(500))
    assert (other.missing, other.method) == (0, "timing")
    uneven = np.cumsum(np.random.default_rng(0).exponential(10 * MS, 500)).astype(np.int64)
    assert running(NO_COUNTER[:500], uneven).method == "unknown"


@pytest.mark.shared
def test_recordings_whose_counter_stands_still_are_judged_by_time() -> None:
    path = CAPTURES / "intel5300" / "wiar_csi_a1_1_vol7.dat"
    if not path.exists():
        pytest.skip(f"{path} is not there")
    stream = Stream(intel5300)
    (block,) = stream.feed(path.read_bytes()) + stream.finish()
    found = estimate(block.table["sequence"], block.table["capture_ns"])
    assert (found.method, found.why) == ("timing", "the counter stands still")
    assert (found.missing, found.gaps) == (0, 0)


def test_another_transmitter_has_its_own_numbers() -> None:
    found = RunningLoss()
    for sender, first in ((1, 10), (1, 32), (2, 3_000_000), (2, 3_000_021)):  # 2 missing, then 1
        block = make_block(20, ntx=1)
        block.table["transmitter"] = sender
        block.table["sequence"] = first + np.arange(20)
        found.add(block)
    assert found.loss() == Loss(3, None, "counter", None)
