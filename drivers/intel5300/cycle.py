"""Runs of Intel 5300 records that repeat a pattern, found in one vectorised step.

A steady link logs the same cycle over and over: one CSI record, or some other records and then a CSI record.
Having walked one cycle, the headers of all further ones are compared with it at once.
"""

import numpy as np
import numpy.typing as npt

from drivers.alike import next_wait, repeats

_HEAD = ((0, "u2"), (2, "u1"))  # n, code
_CSI_HEAD = (*_HEAD, (11, "u2"), (19, "u2"))  # and Nrx with Ntx, len
_LONGEST = 8


class Cycle:
    """Collects the frames' positions and looks for repetitions behind each frame.

    Args:
        data: the buffer, uint8.
    """

    def __init__(self, data: npt.NDArray[np.uint8]) -> None:
        self._data = data
        self._runs: list[npt.NDArray[np.int64]] = []
        self._singles: list[int] = []
        self._others: list[tuple[int, int]] = []  # start, end of the other records since the last frame
        self._whole = True
        self._patience = self._wait = 0
        self.other_sizes: list[int] = []

    def positions(self) -> npt.NDArray[np.int64]:
        """Offset of each frame so far, rising."""
        self._close_singles()
        return np.concatenate(self._runs) if self._runs else np.empty(0, np.int64)

    def other(self, start: int, end: int) -> None:
        """Another known record was walked over."""
        if len(self._others) <= _LONGEST:  # more of them are no cycle that is looked for
            self._others.append((start, end))

    def broken(self) -> None:
        """Something was walked over that is not to be looked for again."""
        self._whole = False

    def frame(self, start: int, end: int) -> tuple[int, int, int]:
        """A frame was walked over: how often its cycle repeats behind it, its length, its other records."""
        self._singles.append(start)
        others, self._others = self._others, []
        whole, self._whole = self._whole, True
        if not whole or len(others) > _LONGEST or self._wait:
            self._wait = max(self._wait - 1, 0)
            return 0, 0, 0
        self.other_sizes = [stop - begin for begin, stop in others]
        begin = others[0][0] if others else start
        fields = [(at - begin + offset, kind) for at, _ in others for offset, kind in _HEAD]
        fields += [(start - begin + offset, kind) for offset, kind in _CSI_HEAD]
        count = repeats(self._data, begin, end - begin, fields)
        self._wait = self._patience = next_wait(count, self._patience)
        if count:
            self._close_singles()
            self._runs.append(start + (end - begin) * np.arange(1, count + 1))
        return count, end - begin, len(others)

    def _close_singles(self) -> None:
        if self._singles:
            self._runs.append(np.array(self._singles, np.int64))
            self._singles = []
