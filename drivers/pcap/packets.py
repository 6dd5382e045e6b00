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
    """Collects packets; columns as `Packets` names them, from ``start`` to ``link``.

    `singles`: one by one. `runs`: (start of the first, how many, bytes of a record, size, cut) of packets in
    equal records one behind the other, whose time stands 16 bytes before them.
    """

    done: list[tuple[Any, ...]] = field(default_factory=list)
    singles: list[tuple[int, int, bool, int, int, int]] = field(default_factory=list)
    runs: list[tuple[int, int, int, int, bool]] = field(default_factory=list)

    def close(self, data: memoryview, state: Container | None) -> None:
        """What was collected came under this state of the file."""
        if self.singles:
            start, size, cut, *rest = np.ascontiguousarray(np.array(self.singles, np.int64).T)
            self.done.append((start, size, cut.astype(np.bool_), *rest))
        if self.runs and state is not None:
            self.done.append(self._spread(data, state))
        self.singles, self.runs = [], []

    def joined(self) -> tuple[Any, ...]:
        """All columns of what is closed."""
        if len(self.done) == 1:
            return self.done[0]
        none = np.empty(0, np.int64)
        empty = (none, none, np.empty(0, np.bool_), none, none, none)
        return tuple(np.concatenate(column) for column in zip(empty, *self.done, strict=True))

    def _spread(self, data: memoryview, state: Container) -> tuple[Any, ...]:
        """One row a packet of the runs."""
        first, count, stride, size, cut = np.ascontiguousarray(np.array(self.runs, np.int64).T)
        count = count.astype(np.intp)  # on 32-bit hosts numpy repeats by no wider number
        record, size, cut = (np.repeat(column, count) for column in (stride, size, cut))
        place = np.arange(len(record)) - np.repeat(np.cumsum(count) - count, count)
        start = np.repeat(first, count) + place * record
        stamps: npt.NDArray[np.void] = np.ndarray((len(data) - 15,), "V8", data, strides=(1,))
        seconds, fraction = stamps[start - 16].view(state.order + "u4").reshape(-1, 2).astype(np.int64).T
        where = state.interfaces[0]
        unix_ns = seconds * 10**9 + fraction * (10**9 // where.ticks_per_s)
        return start, size, cut.astype(np.bool_), record, unix_ns, np.full(len(start), where.link, np.int64)
