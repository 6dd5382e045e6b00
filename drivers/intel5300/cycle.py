"""Runs of Intel 5300 records that repeat a pattern, found in one vectorised step.

A steady link logs the same cycle over and over: one CSI record, or some other records and then a CSI record.
Having walked one cycle, the headers of all further ones are compared with it at once.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

_HEAD = ((0, "u2"), (2, "u1"))  # n, code
_CSI_HEAD = (*_HEAD, (11, "u2"), (19, "u2"))  # and Nrx with Ntx, len
_PROBE = 16
_FEWEST = 3  # itself, one repetition, and the last, which is left
_LONGEST = 8
_WORTH_IT = 4


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
        count = self._repeats(begin, end - begin, fields)
        self._be_patient(count)
        if count:
            self._close_singles()
            self._runs.append(start + (end - begin) * np.arange(1, count + 1))
        return count, end - begin, len(others)

    def _repeats(self, begin: int, stride: int, fields: list[tuple[int, str]]) -> int:
        """Repetitions of a cycle right behind it, without the last, which is left to be walked over."""
        total = (len(self._data) - begin) // stride  # itself and what might be repetitions
        if total < _FEWEST:
            return 0
        alike = 1
        for limit in (_PROBE, total):
            rows = min(limit, total)
            same = np.ones(rows, np.bool_)
            for offset, kind in fields:
                column: npt.NDArray[Any] = np.ndarray((rows,), kind, self._data, begin + offset, (stride,))
                same &= column == column[0]
            alike = rows if same.all() else int(np.argmin(same))
            if alike < limit:
                break
        return max(alike - 2, 0)

    def _be_patient(self, count: int) -> None:
        """Look less often where looking does not pay."""
        self._patience = 0 if count >= _WORTH_IT else min(2 * self._patience + 1, 63)
        self._wait = self._patience

    def _close_singles(self) -> None:
        if self._singles:
            self._runs.append(np.array(self._singles, np.int64))
            self._singles = []
