"""Runs of Atheros records whose CSI is laid out alike, walked over quickly.

A steady link sends packets of one size: the records have the same lengths, tones and antennas over and over.
Having walked over one, the headers of all further ones are compared with it in one vectorised step. Where the
packets differ in size, but the CSI does not in shape, a short loop goes from header to header.
"""

import struct

import numpy as np
import numpy.typing as npt

from drivers.alike import next_wait, repeats
from drivers.atheros.layout import FIXED, HEAD_BYTES, Order

_ALIKE = ((0, "u2"), (10, "u2"), (17, "u4"), (25, "u2"))
"""Length; csi_len; bandwidth, tones, nr and nc; payload_len. As bytes: the byte order does not matter."""
_WALK: dict[Order, struct.Struct] = {"<": struct.Struct("<H8xH5xI4xH"), ">": struct.Struct(">H8xH5xI4xH")}
"""The same fields, one header at a time."""


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
        count = repeats(self._data, start, end - start, _ALIKE)
        self._wait = self._patience = next_wait(count, self._patience)
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

    def _close_singles(self) -> None:
        if self._singles:
            self._runs.append(np.array(self._singles, np.int64))
            self._singles = []
