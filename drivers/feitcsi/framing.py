"""Record framing of FeitCSI files: where the records are, and what became of every other byte.

A file is ``{272 bytes of header, CSI}`` over and over, without a file header, a magic or a checksum. A header
says its CSI's length twice (bytes; antennas and subcarriers) and its subcarriers twice (number; format and
bandwidth), which is evidence enough to find the next one where a record was cut or damaged.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from drivers.account import Account
from drivers.feitcsi.grids import GRIDS, grid_of

HEADER_BYTES = 272
LOOK_BYTES = 96
"""So much of a header tells whether it is one."""
MAX_STREAMS = 2
MAX_SUBCARRIERS = 4096
SEARCH_BYTES = 1 << 16
_COUNTS = (1, 2)
_SIZES = {
    (4 * len(grid.index) * rx * tx).to_bytes(4, "little")
    for grid in GRIDS.values()
    for rx in _COUNTS
    for tx in _COUNTS
}
_NO_GRID = 2**32 - 1
_SUBCARRIERS = np.array(
    [len(grid.index) if (grid := grid_of(bits << 8)) else _NO_GRID for bits in range(64)], np.uint32
)
"""By format and bandwidth, as the rate flags have them."""
_STARTS = frozenset(size[:count] for size in _SIZES for count in (1, 2, 3, 4))


class Framing:
    """Walks over a buffer that starts at a record; `walk` fills `consumed` and `account`.

    Args:
        data: the buffer.
        final: nothing follows, so a cut last record is a reject.

    Attributes:
        consumed: bytes dealt with.
        account: what they were.
    """

    def __init__(self, data: bytes | memoryview, *, final: bool) -> None:
        self._data, self._final, self._size = bytes(data), final, len(data)
        self._bytes = np.frombuffer(self._data, np.uint8)
        self.account = Account()
        self.consumed = 0

    @property
    def starts_sound(self) -> bool:
        """Whether the buffer starts with a sound header."""
        return self._size >= LOOK_BYTES and self._is_sound(0)

    def walk(self) -> Iterator[int]:
        """Offset of each frame's record, in stream order."""
        while self._size - self.consumed >= LOOK_BYTES:
            at = self.consumed
            if not self._is_consistent(at):
                if not self._resync(at):
                    return
                continue
            end = at + HEADER_BYTES + self._word(at)
            if end > self._size and not self._final:
                return
            verdict = self._verdict(at, end)
            if verdict is None:
                return
            if verdict < end or end > self._size:
                self._reject("truncated", at, verdict)
            elif grid_of(self._word(at + 92)) is None or not self._is_sound(at):
                self._reject("unsupported_format", at, end)
            else:
                self.account.frame(1, end - at)
                self.consumed = end
                yield at
        if self._final and self.consumed < self._size:
            self._reject("truncated", self.consumed, self._size)

    def _verdict(self, at: int, end: int) -> int | None:
        """Where the record at `at` really ends: at `end`, or where another starts in it; None: still open.

        A live record is not held back until the next one comes, unless its last bytes look like the start of
        another's header.
        """
        known = end + LOOK_BYTES <= self._size
        if known and self._is_sound(end):
            return end
        inner = self._find(at + 1, min(end, self._size))
        if known or self._final:
            return min(end, self._size) if inner is None else inner
        if inner is not None or end < self._size or self._may_be_cut(at, end):
            return None
        return end

    def _may_be_cut(self, at: int, end: int) -> bool:
        """Whether one of the last places of the buffer may be the start of a header that is not all there."""
        first = max(at + 1, end - LOOK_BYTES + 1)
        return any(self._data[place : min(place + 4, end)] in _STARTS for place in range(first, end))

    def _resync(self, at: int) -> bool:
        """Pass over what is no record, in pieces that do not depend on how much is there."""
        found = self._find(at + 1, at + 1 + SEARCH_BYTES)
        if found is not None:
            return self._reject("resync", at, found)
        if self._size >= at + SEARCH_BYTES + LOOK_BYTES:
            return self._reject("resync", at, at + SEARCH_BYTES)
        return self._final and self._reject("resync", at, self._size)

    def _reject(self, reason: str, at: int, end: int) -> bool:
        self.account.reject(reason, end - at)
        self.consumed = end
        return True

    def _find(self, start: int, stop: int) -> int | None:
        """First place in [start, stop) where a sound header stands."""
        stop = min(stop, self._size - LOOK_BYTES + 1)
        if start >= stop:
            return None
        rx, tx, *zeros = (self._bytes[start + at : stop + at] for at in (46, 47, 3, 54, 55))
        # All at once, not place by place: noise may be full of places that look right at first sight.
        likely: npt.NDArray[np.bool_] = (rx - 1 < MAX_STREAMS) & (tx - 1 < MAX_STREAMS)
        for high in zeros:  # of numbers that are never so large
            likely &= high == 0
        hits = np.flatnonzero(likely)
        words: npt.NDArray[np.uint32] = np.ndarray((self._size - 3,), "<u4", self._data, strides=(1,))
        hits += start
        streams, subcarriers = self._bytes[hits + 46] * self._bytes[hits + 47], words[hits + 52]
        agree = words[hits] == 4 * streams.astype(np.uint32) * subcarriers
        agree &= subcarriers == _SUBCARRIERS[words[hits + 92] >> 8 & 0x3F]
        return int(hits[agree][0]) if agree.any() else None

    def _word(self, at: int) -> int:
        return int.from_bytes(self._data[at : at + 4], "little")

    def _is_consistent(self, at: int) -> bool:
        """Whether a header may start here: antennas, subcarriers and length agree."""
        rx, tx, subcarriers = self._data[at + 46], self._data[at + 47], self._word(at + 52)
        return (
            1 <= rx <= MAX_STREAMS
            and 1 <= tx <= MAX_STREAMS
            and 1 <= subcarriers <= MAX_SUBCARRIERS
            and self._word(at) == 4 * rx * tx * subcarriers
        )

    def _is_sound(self, at: int) -> bool:
        """Whether a header starts here whose format and bandwidth have these subcarriers too."""
        grid = grid_of(self._word(at + 92)) if self._is_consistent(at) else None
        return grid is not None and len(grid.index) == self._word(at + 52)
