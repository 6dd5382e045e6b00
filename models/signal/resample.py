"""Resampling by time, never by index: frames fall into bins of capture time, empty bins stay empty.

Interpolation would invent correlation between neighbours (the motion statistic lives on exactly that), and
counting by index would stretch time wherever packets are lost. A bin is the mean of the frames in it; a bin
without a frame is marked and left out of every sum.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True, slots=True)
class Bins:
    """Which frames fall into which bin of a window; `filled` are the bins that hold any."""

    count: int
    filled: npt.NDArray[np.intp]
    first: npt.NDArray[np.intp]
    frames: npt.NDArray[np.intp]

    def mean(self, values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Mean per filled bin of values ``[frame, ...]``, float32 ``[filled bin, ...]``."""
        if len(self.filled) == len(values):
            return values
        total = values[self.first]
        for more in range(1, int(self.frames.max())):
            rows = np.flatnonzero(self.frames > more)
            total[rows] += values[self.first[rows] + more]
        total *= (1.0 / self.frames).astype(np.float32).reshape(-1, *([1] * (values.ndim - 1)))
        return total

    def spread(self, values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Values ``[filled bin, ...]`` at their place in time, ``[count, ...]``, zero where no frame is."""
        if len(self.filled) == self.count:
            return values
        out = np.zeros((self.count, *values.shape[1:]), np.float32)
        out[self.filled] = values
        return out

    def mask(self) -> npt.NDArray[np.bool_]:
        """True where a bin holds a frame, ``[count]``."""
        mask = np.zeros(self.count, np.bool_)
        mask[self.filled] = True
        return mask


def bins(time_ns: npt.NDArray[np.int64], start_ns: int, end_ns: int, width_s: float) -> Bins:
    """Bins of about `width_s` that cut [start, end) evenly; `time_ns` rises and lies inside."""
    count = max(1, round((end_ns - start_ns) / (width_s * 1e9)))
    place = (time_ns - start_ns) * count // (end_ns - start_ns)
    filled, first, frames = np.unique(place, return_index=True, return_counts=True)
    return Bins(count, filled, first, frames)


def occupancy(time_ns: npt.NDArray[np.int64], start_ns: int, end_ns: int, nominal_hz: float) -> float:
    """Share of the window's bins that hold a frame: 100 ms bins, or 2 / nominal rate below 20 Hz."""
    if len(time_ns) == 0:
        return 0.0
    width_s = 0.1 if nominal_hz >= 20 else 2.0 / nominal_hz
    cut = bins(time_ns, start_ns, end_ns, width_s)
    return len(cut.filled) / cut.count
