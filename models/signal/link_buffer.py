"""Canonical frames of one link, kept apart by shape, until they are too old for any window."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from drivers.frame import FrameBlock
from models.signal.grid import SUBCARRIERS, remove_level, to_grid

MAX_FRAMES = 16384
"""Most frames one link may hold: 4 s at 4 kHz, 24 MB at 3 x 2 antennas."""


@dataclass(frozen=True, slots=True, eq=False)
class LinkFrames:
    """Frames of one link in one window, all of one shape.

    Attributes:
        time_ns: capture time, int64 ``[frame]``, not falling.
        csi: complex64 ``[frame, 30, rx, tx]`` on the canonical grid at unit RMS per frame; absent receive
            antennas are left out.
    """

    link: str
    nic: str
    bandwidth_mhz: int
    time_ns: npt.NDArray[np.int64]
    csi: npt.NDArray[np.complex64]


_Shape = tuple[str, int, bytes, tuple[int, int, int]]


class _Frames:
    """Frames of one shape. Blocks wait as they came and become canonical together, once a window."""

    def __init__(self, block: FrameBlock) -> None:
        rx, tx = int(block.antennas_used.sum()), block.raw.shape[3]
        self.nic, self.bandwidth_mhz = block.nic, block.bandwidth_mhz
        self.time_ns = np.empty(0, np.int64)
        self.csi = np.empty((0, SUBCARRIERS, rx, tx), np.complex64)
        self.waiting: list[FrameBlock] = []

    def settle(self) -> None:
        if not self.waiting:
            return
        first = self.waiting[0]
        raw = np.concatenate([block.raw for block in self.waiting])[:, :, first.antennas_used]
        csi = np.ascontiguousarray(raw, np.float32).view(np.complex64)[..., 0]
        csi = remove_level(to_grid(csi, first.subcarrier_index, first.bandwidth_mhz))
        times = [block.table["capture_ns"] for block in self.waiting]
        self.time_ns = np.concatenate([self.time_ns, *times])
        self.csi = np.concatenate([self.csi, csi])
        self.waiting.clear()
        if np.any(self.time_ns[1:] < self.time_ns[:-1]):
            order = np.argsort(self.time_ns, kind="stable")
            self.time_ns, self.csi = self.time_ns[order], self.csi[order]


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
            key = _shape_of(block)
            frames = self._shapes.get(key) or self._shapes.setdefault(key, _Frames(block))
            frames.waiting.append(block if len(taken) == len(block) else block.take(taken))
            self._held += len(taken)
        return taken, len(rows) - len(taken)

    def frames(self, start_ns: int, end_ns: int) -> LinkFrames | None:
        """Frames with ``start_ns <= time < end_ns`` of the shape that most of them have; None without any.

        Other shapes are other channels (another number of streams is precoded otherwise), never mixed in.
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
            self.link, frames.nic, frames.bandwidth_mhz, frames.time_ns[low:high], frames.csi[low:high]
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
            cut = int(np.searchsorted(frames.time_ns, before_ns))
            if cut == len(frames.time_ns):
                del self._shapes[key]
                continue
            frames.time_ns, frames.csi = frames.time_ns[cut:], frames.csi[cut:]
            self._held += len(frames.time_ns)

    def _settled(self) -> Iterable[_Frames]:
        for frames in self._shapes.values():
            frames.settle()
        return self._shapes.values()


def _shape_of(block: FrameBlock) -> _Shape:
    return (
        block.nic,
        block.bandwidth_mhz,
        block.subcarrier_index.tobytes() + b"|" + block.antennas_used.tobytes(),
        block.shape,
    )
