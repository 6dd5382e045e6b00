"""The packets of a buffer, as columns."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from drivers.account import Account
from drivers.pcap.container import Container

Ints = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Packets:
    """What a piece of a capture file holds.

    Attributes:
        start: offset of each packet's first byte, rising; `size`: bytes of it that were captured.
        cut: bool, fewer were captured than it had.
        record: bytes that its record takes, headers and padding included.
        unix_ns: time of capture.
        link: link type.
        consumed: bytes of the buffer dealt with.
        account: what of these is no packet (the packets' own bytes are the caller's to account for).
        state: to be handed over with the next buffer.
    """

    start: Ints
    size: Ints
    cut: npt.NDArray[np.bool_]
    record: Ints
    unix_ns: Ints
    link: Ints
    consumed: int
    account: Account
    state: Container | None

    def __len__(self) -> int:
        return len(self.start)


@dataclass(slots=True)
class Columns:
    """Collects packets, one by one or in runs of equal records; columns as `Packets` names them."""

    runs: list[tuple[Any, ...]] = field(default_factory=list)
    singles: list[tuple[int, int, bool, int, int, int]] = field(default_factory=list)

    def run(self, start: Ints, size: int, *, cut: bool, record: int, unix_ns: Ints, link: int) -> None:
        """Packets that differ in place and time only."""
        self._close()
        same = ((size, np.int64), (cut, np.bool_), (record, np.int64))
        columns = [np.full(len(start), value, kind) for value, kind in same]
        self.runs.append((start, *columns, unix_ns, np.full(len(start), link, np.int64)))

    def joined(self) -> tuple[Any, ...]:
        """All columns."""
        self._close()
        if len(self.runs) == 1:
            return self.runs[0]
        if not self.runs:
            none = np.empty(0, np.int64)
            return none, none, np.empty(0, np.bool_), none, none, none
        return tuple(np.concatenate(column) for column in zip(*self.runs, strict=True))

    def _close(self) -> None:
        if self.singles:
            table = np.array(self.singles, np.int64).reshape(-1, 6)
            start, size, cut, *rest = np.ascontiguousarray(table.T)
            self.runs.append((start, size, cut.astype(np.bool_), *rest))
            self.singles = []
