"""A live NIC's clock against the host's: offset, drift, resets; capture times become Unix times.

A card's clock is even but has its own zero and its own rate; the host's is Unix time, but frames reach it
late and unevenly. So frames keep the spacing that the card gives them, and its clock is put on the host's by
the least delay seen (`drivers.envelope`). What is learned later is slewed in: capture time never steps back,
and steps forward only where the card's clock was reset.

* A clock within a second of the host's at the start is the host's own (as the times of a pcap file are): it
  is taken as it is, offset and drift 0, until it leaves.
* A clock more than a second ahead of where it should be jumped, and is anchored again at once. One that is
  behind may only be read late: it is anchored again when that lasts, or when its counter says so.
* A clock that stands still is not used while it does: frames take the host's time, those that were read
  together evenly over the time they waited at most.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from drivers.batch import stream_order
from drivers.envelope import Envelope
from drivers.frame import FrameBlock, FrameFlag
from drivers.wire import MAX_BLOCK_AGE_S, ClockReport

JUMP_NS = 1_000_000_000
OWN_NS = 1_000_000_000
BEHIND_NS = 5_000_000_000
STUCK_NS, STUCK_FRAMES = 1_000_000_000, 8
"""A clock stands still after so long, and so many frames, at one reading."""
SLEW = 2e-3
"""Capture time runs at most so much faster or slower than the card's clock."""
LEAST_STEP_NS = 1_000
_WAIT_NS = round(MAX_BLOCK_AGE_S * 1e9)

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


class HostClock:
    """Model of one source's clock. Use it for live sources only; a replay keeps its own time.

    Attributes:
        resets: times the clock had to be anchored again.
    """

    def __init__(self) -> None:
        self.resets = 0
        self._envelope = Envelope()
        self._own = self._stuck = False
        self._newest: int | None = None  # NIC's clock
        self._offset = 0
        self._last = 0  # newest Unix time given out
        self._moved_host_ns, self._still = 0, 0
        self._behind_since: int | None = None

    def report(self) -> ClockReport:
        """As the service hears it: drift is positive where the NIC's clock is fast."""
        if self._newest is None or self._stuck:
            return ClockReport(resets=self.resets)
        slope = 0.0 if self._own else self._envelope.slope
        drift = None if slope is None else -slope * 1e6 + 0.0
        return ClockReport(self._target(self._newest) / 1e6, drift, self.resets)

    def on_host_time(self, blocks: Sequence[FrameBlock], host_ns: int) -> None:
        """Put the frames, read until `host_ns`, on Unix time, in place."""
        if not blocks:
            return
        order = stream_order(blocks)
        times = np.concatenate([block.table["capture_ns"] for block in blocks])[order]
        flags = np.concatenate([block.table["flags"] for block in blocks])[order]
        moved = np.empty_like(times)
        moved[order] = self.convert(times, (flags & FrameFlag.CLOCK_RESET) != 0, host_ns)
        start = 0
        for block in blocks:
            block.table["capture_ns"] = moved[start : start + len(block)]
            start += len(block)

    def convert(self, times: Ints, reset: Mask, host_ns: int) -> Ints:
        """Unix times of frames in stream order, at least one, the last of them read at `host_ns`.

        Args:
            times: the NIC's clock, unwrapped, int64 ``[frame]`` ns.
            reset: where the clock was reset, bool ``[frame]``.
            host_ns: Unix time.
        """
        if self._newest is None:
            self._anchor(times, host_ns)
            return self._slewed(times)
        if self._stands_still(times, host_ns):
            return self._by_host(len(times), host_ns)
        row = self._broken_at(times, reset, host_ns)
        if row is None:
            self._observe(int(times.max()), host_ns)
            return self._slewed(times)
        before = self._slewed(times[:row]) if row else times[:0]
        self.resets += 1
        self._anchor(times[row:], host_ns)
        return np.concatenate([before, self._slewed(times[row:])])

    def _target(self, time_ns: int) -> int:
        """Host time less the NIC's, as known now."""
        return 0 if self._own else self._envelope.at(time_ns)

    def _anchor(self, times: Ints, host_ns: int) -> None:
        """Start over with these frames, never before what was given out."""
        newest = int(times.max())
        delay = host_ns - newest
        self._own, self._stuck, self._behind_since = abs(delay) < OWN_NS, False, None
        self._envelope.restart(newest, delay)
        wanted = 0 if self._own else delay
        self._offset = max(wanted, self._last + LEAST_STEP_NS - int(times[0])) if self._last else wanted
        self._newest, self._moved_host_ns, self._still = int(times[0]), host_ns, 0

    def _observe(self, newest: int, host_ns: int) -> None:
        if self._behind_since is None and newest > (self._newest or 0):
            self._envelope.add(newest, host_ns - newest)

    def _slewed(self, times: Ints) -> Ints:
        """On the host's time, the offset moving towards its target as fast as it may."""
        start = int(times[0]) if self._newest is None else self._newest
        span = max(int(times.max()) - start, 0)
        most = round(SLEW * span)
        step = min(max(self._target(start + span) - self._offset, -most), most)
        share = np.clip((times - start) / span, 0, 1) if span else np.zeros(len(times))
        moved = times + self._offset + np.rint(share * step).astype(np.int64)
        self._newest, self._offset = start + span, self._offset + step
        self._last = max(self._last, int(moved.max()))
        return moved

    def _broken_at(self, times: Ints, reset: Mask, host_ns: int) -> int | None:
        """First frame of another clock, None while it is the same."""
        if self._stuck:
            return 0
        if reset.any():
            return int(np.argmax(reset))
        newest = int(times.max())
        late_ns = host_ns - newest - self._target(newest)
        if late_ns < -JUMP_NS:
            ahead = times + self._target(newest) > host_ns + JUMP_NS
            return int(np.argmax(ahead))
        if late_ns <= JUMP_NS:
            self._behind_since = None
        elif self._behind_since is None:
            self._behind_since = host_ns
        elif host_ns - self._behind_since >= BEHIND_NS:
            return 0
        return None

    def _stands_still(self, times: Ints, host_ns: int) -> bool:
        if int(times.max()) > (self._newest or 0):
            self._moved_host_ns, self._still = host_ns, 0
            return False
        self._still += len(times)
        self._stuck |= host_ns - self._moved_host_ns >= STUCK_NS and self._still >= STUCK_FRAMES
        return self._stuck

    def _by_host(self, count: int, host_ns: int) -> Ints:
        """Times of the host for frames whose clock stands still."""
        end = max(host_ns, self._last + count * LEAST_STEP_NS)
        start = max(self._last, end - _WAIT_NS)
        self._last = end
        return start + (end - start) * np.arange(1, count + 1, dtype=np.int64) // count
