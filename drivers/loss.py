"""How many frames never came: by the NIC's counter where it counts these frames, by time where it does not.

A counter says so exactly, but there are cards without one (Atheros, ESP32), counters that stand still (the
WiAR recordings) and 802.11 sequence numbers, which also count a sender's other packets. Packets sent in even
steps betray a missing one by an interval of twice the length; of uneven ones nothing can be said. So where
packets come evenly, a counter that jumps though no time has passed is not believed.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from drivers.frame import NO_SEQUENCE, FrameBlock

Method = Literal["counter", "timing", "unknown"]
Ints = npt.NDArray[np.int64]

LEAST_INTERVALS = 20
NEAR = 0.25
"""An interval is the usual one, or a multiple of it, within this share of the usual one."""
USUAL_SHARE, MULTIPLE_SHARE = 0.5, 0.8
"""Frames come evenly if so many intervals are the usual one, so many a multiple (random ones: 0.2, 0.5)."""
LEAST_JUMPS = 5
"""From as many jumps of the counter on it is looked at whether time jumped with them."""
PAUSE_NS = 2_000_000_000
"""A longer interval is a sender that paused, unless a counter says otherwise."""


OTHER_PACKETS = "the counter also counts packets to others"


@dataclass(frozen=True, slots=True)
class Loss:
    """Frames missing, and the gaps they are missing in; both None where nobody can tell.

    `why` says why the counter was not used, or why nothing is known; None with method ``"counter"``.
    """

    missing: int | None
    gaps: int | None
    method: Method
    why: str | None


def estimate(counts: Ints, times: Ints) -> Loss:
    """What is missing among frames in stream order.

    Args:
        counts: the NIC's counter, unwrapped, int64 ``[frame]``, `NO_SEQUENCE` where it has none.
        times: capture time in ns, int64 ``[frame]``.
    """
    counted, intervals = by_counter(counts), np.diff(times)
    if isinstance(counted, Loss):
        if not _jumps_alone(*_jumps(np.diff(counts), intervals, usual_interval(intervals))):
            return counted
        counted = OTHER_PACKETS
    timed = by_timing(intervals)
    if isinstance(timed, Loss):
        return Loss(timed.missing, timed.gaps, "timing", counted)
    return Loss(None, None, "unknown", f"{counted}, and {timed}")


def by_counter(counts: Ints) -> Loss | str:
    """What the counter says, or why it says nothing.

    One that moves by one on less than half of the frames counts something else (or nothing at all).
    """
    if (counts == NO_SEQUENCE).any():
        return "no counter"
    steps = np.diff(counts)
    if not len(steps):
        return "one frame has no gaps"
    if not steps.any():
        return "the counter stands still"
    if 2 * np.count_nonzero(steps == 1) < len(steps):
        return "the counter does not count these frames"
    jumps = steps[steps > 1]
    return Loss(int((jumps - 1).sum()), len(jumps), "counter", None)


def _jumps(steps: Ints, intervals: Ints, usual: float | None) -> tuple[int, int]:
    """Jumps of the counter, and with how many of them time jumped too; (0, 0) where frames come unevenly."""
    if usual is None:
        return 0, 0
    jumped = steps > 1
    return int(jumped.sum()), int((jumped & (intervals > 1.5 * usual)).sum())


def _jumps_alone(jumps: int, late: int) -> bool:
    """Whether the counter jumps where no frame is missing in time."""
    return jumps >= LEAST_JUMPS and 2 * late < jumps


def by_timing(intervals: Ints) -> Loss | str:
    """What the intervals between frames (ns) say, or why they say nothing."""
    moving = intervals[intervals > 0]
    if len(intervals) and not len(moving):
        return "the clock stands still"
    intervals = moving
    if len(intervals) < LEAST_INTERVALS:
        return "too few frames to tell by time"
    usual = usual_interval(intervals)
    if usual is None:
        return "the frames come unevenly"
    return Loss(*_long_ones(intervals, usual), "timing", None)


def usual_interval(intervals: Ints) -> float | None:
    """The interval at which frames are sent, ns; None where there is none."""
    intervals = intervals[intervals > 0]
    if len(intervals) < LEAST_INTERVALS:
        return None
    usual = float(np.median(intervals))
    share = intervals / usual
    even = np.mean(np.abs(share - 1) < NEAR) >= USUAL_SHARE
    return usual if even and np.mean(np.abs(share - np.rint(share)) < NEAR) >= MULTIPLE_SHARE else None


def _long_ones(intervals: Ints, usual: float) -> tuple[int, int]:
    """Frames missing, and in how many gaps."""
    long = intervals[(intervals > 1.5 * usual) & (intervals < max(PAUSE_NS, 2.5 * usual))]
    return int((np.rint(long / usual) - 1).sum()), len(long)


class RunningLoss:
    """The same of a stream that goes on, in little memory and time; blocks may come a little out of order.

    The counter is judged among `TOGETHER` frames at a time and then counts by its span, so the order within
    them does not matter. Where it is useless, each block's intervals are judged by the last `RECENT`.

    Transmitters count for themselves: the counter is that of one of them, of another when it falls silent.
    """

    TOGETHER = 64
    RECENT = 256

    def __init__(self) -> None:
        self._sender = self._missed = 0
        self._low: int | None = None
        self._high = 0
        self._counted = self._ones = self._steps = 0
        self._waiting = np.empty(0, np.int64)
        self._intervals = np.empty(0, np.int64)
        self._last_ns: int | None = None
        self._late: int | None = None
        self._jumped = (0, 0)

    def add(self, block: FrameBlock) -> None:
        """Take in a block."""
        senders, counts = block.table["transmitter"], block.table["sequence"]
        followed = senders == np.uint64(self._sender)
        if not followed.any() and len(senders):
            followed = senders == self._follow(int(senders[-1]))
        taken = followed & (counts != NO_SEQUENCE)
        if taken.any():
            self._count(counts[taken])
        usual = self._add_times(np.sort(block.table["capture_ns"]))
        steps, intervals = np.diff(counts[taken]), np.diff(block.table["capture_ns"][taken])
        jumps, late = _jumps(steps, intervals, usual)
        self._jumped = self._jumped[0] + jumps, self._jumped[1] + late

    def loss(self) -> Loss:
        """What is missing so far; by time, since the counter was found useless."""
        why = self._why()
        if why is None and self._low is not None:
            return Loss(self._missed + self._missing(), None, "counter", None)
        if self._late is None:
            return Loss(None, None, "unknown", why)
        return Loss(self._late, None, "timing", why)

    def _follow(self, sender: int) -> np.uint64:
        """Another transmitter's numbers come: what is missing of the one before is known."""
        self._missed += self._missing()
        self._sender, self._low, self._counted, self._waiting = sender, None, 0, self._waiting[:0]
        return np.uint64(sender)

    def _missing(self) -> int:
        return 0 if self._low is None else max(self._high - self._low + 1 - self._counted, 0)

    def _count(self, counts: Ints) -> None:
        low, high = int(counts.min()), int(counts.max())
        self._high = high if self._low is None else max(high, self._high)
        self._low = low if self._low is None else min(low, self._low)
        self._counted += len(counts)
        self._waiting = np.concatenate([self._waiting, counts])
        if len(self._waiting) >= self.TOGETHER:
            ones, steps = _ones(self._waiting)
            self._ones, self._steps = self._ones + ones, self._steps + steps
            self._waiting = self._waiting[:0]

    def _why(self) -> str | None:
        """Why the counter says nothing."""
        if not self._counted:
            return "no counter"
        if self._counted > 1 and self._low == self._high:
            return "the counter stands still"
        ones, steps = _ones(self._waiting)
        if 2 * (self._ones + ones) < self._steps + steps:
            return "the counter does not count these frames"
        return OTHER_PACKETS if _jumps_alone(*self._jumped) else None

    def _add_times(self, times: Ints) -> float | None:
        """Judge the intervals of a block; the usual one of late, None where there is none."""
        since = times[:1] if self._last_ns is None else np.array([self._last_ns])
        self._last_ns = max(int(times[-1]), int(since[0]))
        fresh = np.diff(np.concatenate([since, times]))
        fresh = fresh[fresh > 0]
        self._intervals = np.concatenate([self._intervals, fresh])[-self.RECENT :]
        usual = usual_interval(self._intervals)
        if usual is not None:
            self._late = (self._late or 0) + _long_ones(fresh, usual)[0]
        return usual


def _ones(counts: Ints) -> tuple[int, int]:
    """Steps of one, and all steps, between these counts put in order."""
    steps = np.diff(np.sort(counts))
    return int(np.count_nonzero(steps == 1)), len(steps)
