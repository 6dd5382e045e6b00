"""Canonical frames of one link, kept apart by shape, until they are too old for any window."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from drivers.frame import FrameBlock, Raw
from models.signal.grid import OWN_GAINS, SUBCARRIERS, power_on_grid
from models.signal.subbands import Part, split

MAX_FRAMES = 16384
"""Most frames one link may hold: 4 s at 4 kHz, 18 MB at 3 x 2 antennas with room to grow."""
SETTLE_FRAMES = 32
"""As many become canonical together: few enough to spread the work over time, enough to make it cheap."""


@dataclass(frozen=True, slots=True, eq=False)
class LinkFrames:
    """Frames of one link in one window, all of one shape.

    Attributes:
        time_ns: capture time, int64 ``[frame]``, not falling.
        power: |H|^2, float32 ``[frame, rx, tx, 30]`` on the canonical grid, mean 1 per frame (per frame and
            antenna where each has a gain of its own); absent antennas and streams are left out (where the
            rest is no rectangle, ``[frame, pair, 1, 30]``).
    """

    link: str
    nic: str
    bandwidth_mhz: int
    time_ns: npt.NDArray[np.int64]
    power: npt.NDArray[np.float32]


_Shape = tuple[str, Part, int, bytes, tuple[int, int, int]]


class _Frames:
    """Frames of one shape in order of time. Blocks wait as they came and become canonical a few at a time.

    Nothing that was written is written again: windows that were cut go on showing what they showed.
    """

    def __init__(self, block: FrameBlock) -> None:
        self.nic, self.bandwidth_mhz = block.nic, block.bandwidth_mhz
        self._times = np.empty(0, np.int64)
        self._power = np.empty(
            (0, *_streams(block.raw[:0], block.present).shape[2:4], SUBCARRIERS), np.float32
        )
        self._first = self._end = 0
        self._waiting: list[FrameBlock] = []
        self._waiting_frames = 0

    @property
    def time_ns(self) -> npt.NDArray[np.int64]:
        return self._times[self._first : self._end]

    @property
    def power(self) -> npt.NDArray[np.float32]:
        return self._power[self._first : self._end]

    def add(self, block: FrameBlock) -> None:
        self._waiting.append(block)
        self._waiting_frames += len(block)
        if self._waiting_frames >= SETTLE_FRAMES:
            self.settle()

    def settle(self) -> None:
        """Make canonical what waits."""
        if not self._waiting:
            return
        first, count = self._waiting[0], self._waiting_frames
        raw = _streams(np.concatenate([block.raw for block in self._waiting]), first.present)
        self._make_room(count)
        new = slice(self._end, self._end + count)
        self._power[new] = power_on_grid(
            raw,
            first.subcarrier_index,
            first.tones,
            first.bandwidth_mhz,
            own_gains=self.nic in OWN_GAINS,
        )
        self._times[new] = np.concatenate([block.table["capture_ns"] for block in self._waiting])
        self._end += count
        self._waiting, self._waiting_frames = [], 0
        since = self._times[max(self._first, new.start - 1) : self._end]
        if np.any(since[1:] < since[:-1]):
            order = np.argsort(self.time_ns, kind="stable")
            self._move(self.time_ns[order], self.power[order], len(order))

    def forget(self, before_ns: int) -> None:
        self._first += int(np.searchsorted(self.time_ns, before_ns))

    def _make_room(self, count: int) -> None:
        if self._end + count > len(self._times):
            self._move(self.time_ns, self.power, 3 * (len(self.time_ns) + count) // 2)

    def _move(self, times: npt.NDArray[np.int64], power: npt.NDArray[np.float32], size: int) -> None:
        """On to new memory with room for `size` frames."""
        self._times, self._power = np.empty(size, np.int64), np.empty((size, *power.shape[1:]), np.float32)
        self._times[: len(times)], self._power[: len(times)] = times, power
        self._first, self._end = 0, len(times)


class LinkBuffer:
    """Frames of one link; see `RoomBuffer`, which owns it."""

    def __init__(self, link: str) -> None:
        self.link = link
        self._shapes: dict[_Shape, _Frames] = {}
        self._held = 0

    def push(self, block: FrameBlock, wanted: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.intp], int]:
        """Keep the wanted rows of `block`; returns the rows taken and how many did not fit any more."""
        rows = np.flatnonzero(wanted)
        taken = rows[: MAX_FRAMES - self._held]
        if len(taken):
            for part, some in split(block if len(taken) == len(block) else block.take(taken)):
                key = _shape_of(some, part)
                frames = self._shapes.get(key) or self._shapes.setdefault(key, _Frames(some))
                frames.add(some)
            self._held += len(taken)
        return taken, len(rows) - len(taken)

    def frames(self, start_ns: int, end_ns: int) -> LinkFrames | None:
        """Frames with ``start_ns <= time < end_ns`` of the shape that most of them have; None without any.

        Other shapes are other channels (another number of streams is precoded otherwise, a narrower frame
        fills another part of the band), never mixed in.
        """
        best: tuple[int, int, int, _Frames] | None = None
        for frames in self._settled():
            low, high = (int(i) for i in np.searchsorted(frames.time_ns, (start_ns, end_ns)))
            if high > low and (best is None or high - low > best[0]):
                best = (high - low, low, high, frames)
        if best is None:
            return None
        _, low, high, frames = best
        return LinkFrames(
            self.link, frames.nic, frames.bandwidth_mhz, frames.time_ns[low:high], frames.power[low:high]
        )

    def oldest_ns(self, not_before_ns: int) -> int | None:
        """Capture time of the oldest frame at or after `not_before_ns`, None if there is none."""
        times = [f.time_ns[f.time_ns >= not_before_ns] for f in self._settled()]
        return min((int(t[0]) for t in times if len(t)), default=None)

    def forget(self, before_ns: int) -> None:
        """Drop frames older than `before_ns`."""
        self._held = 0
        for key, frames in list(self._shapes.items()):
            frames.settle()
            frames.forget(before_ns)
            self._held += len(frames.time_ns)
            if not len(frames.time_ns):
                del self._shapes[key]

    def _settled(self) -> Iterable[_Frames]:
        for frames in self._shapes.values():
            frames.settle()
        return self._shapes.values()


def _streams(raw: Raw, present: npt.NDArray[np.bool_]) -> Raw:
    """What was measured of ``[frame, subcarrier, rx, tx, 2]``: without the antennas and streams not there."""
    rows, columns = present.any(axis=1), present.any(axis=0)
    if not present[np.ix_(rows, columns)].all():
        return raw[:, :, present][:, :, :, None]
    return raw[:, :, rows] if columns.all() else raw[:, :, rows][:, :, :, columns]


def _shape_of(block: FrameBlock, part: Part) -> _Shape:
    return (
        block.nic,
        part,
        block.bandwidth_mhz,
        block.subcarrier_index.tobytes() + block.tones.tobytes() + block.present.tobytes(),
        block.shape,
    )
