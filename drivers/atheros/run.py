"""Runs of Atheros records whose CSI is laid out alike, walked over quickly.

A steady link sends packets of one size: the records have the same lengths, tones and antennas over and over.
Having walked over one, the headers of all further ones are compared with it in one vectorised step. Where the
packets differ in size, but the CSI does not in shape, a short loop goes from header to header.
"""

import struct
from typing import Any

import numpy as np
import numpy.typing as npt

from drivers.atheros.layout import FIXED, HEAD_BYTES, Order

_ALIKE = ((0, "u2"), (10, "u2"), (17, "u4"), (25, "u2"))
"""Length; csi_len; bandwidth, tones, nr and nc; payload_len. As bytes: the byte order does not matter."""
_WALK: dict[Order, struct.Struct] = {"<": struct.Struct("<H8xH5xI4xH"), ">": struct.Struct(">H8xH5xI4xH")}
"""The same fields, one header at a time."""
_PROBE = 16
_FEWEST = 3  # itself, one repetition, and the last, which is left
_WORTH_IT = 4


class Runs:
    """Collects the frames' positions and looks for more of the kind behind each frame.

    Args:
        data: the buffer, uint8.
    """

    def __init__(self, data: npt.NDArray[np.uint8]) -> None:
        self._data = data
        self._view = data.data
        self._runs: list[npt.NDArray[np.int64]] = []
        self._singles: list[int] = []
        self._patience = self._wait = 0

    def positions(self) -> npt.NDArray[np.int64]:
        """Offset of each frame so far, rising."""
        self._close_singles()
        return np.concatenate(self._runs) if self._runs else np.empty(0, np.int64)

    def frame(self, start: int, end: int, order: Order) -> tuple[int, int]:
        """A frame was walked over: how many like it stand behind it, without the last, and their end."""
        self._singles.append(start)
        if self._wait:
            self._wait -= 1
            return self._walk(start, end, order)
        count = self._repeats(start, end - start)
        self._patience = 0 if count >= _WORTH_IT else min(2 * self._patience + 1, 63)
        self._wait = self._patience
        if not count:
            return self._walk(start, end, order)
        self._close_singles()
        self._runs.append(start + (end - start) * np.arange(1, count + 1, dtype=np.int64))
        return count, end + count * (end - start)

    def _walk(self, start: int, end: int, order: Order) -> tuple[int, int]:
        """Frames of its shape and any size behind it that another one follows: their number and end."""
        header, view, singles = _WALK[order].unpack_from, self._view, self._singles
        _, csi_len, shape, _ = header(view, start)
        before, last = len(singles), len(view) - HEAD_BYTES
        candidate = end
        while candidate <= last:
            length, csi, found, payload = header(view, candidate)
            if csi != csi_len or found != shape or length != FIXED + csi + payload:
                break
            if candidate != end:
                singles.append(end)
            end, candidate = candidate, candidate + 2 + length
        return len(singles) - before, end

    def _repeats(self, start: int, stride: int) -> int:
        """Repetitions right behind it without the last, which is left to be walked over."""
        total = (len(self._data) - start) // stride
        if total < _FEWEST:
            return 0
        alike = 1
        for limit in (_PROBE, total):
            rows = min(limit, total)
            same = np.ones(rows, np.bool_)
            for offset, kind in _ALIKE:
                column: npt.NDArray[Any] = np.ndarray((rows,), kind, self._data, start + offset, (stride,))
                same &= column == column[0]
            alike = rows if same.all() else int(np.argmin(same))
            if alike < limit:
                break
        return max(alike - 2, 0)

    def _close_singles(self) -> None:
        if self._singles:
            self._runs.append(np.array(self._singles, np.int64))
            self._singles = []
