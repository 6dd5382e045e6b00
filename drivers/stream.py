"""A running byte stream of one NIC: chunks of any size in, blocks with running time and index out."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from drivers.account import Account
from drivers.clock import Clock
from drivers.frame import FrameBlock
from drivers.numbering import Numbering
from drivers.registry import Nic, Parsed

BUFFER_BYTES = 4 * 1024 * 1024
MAX_LEFT_OVER = 1024 * 1024
"""No NIC's record is this long: a parser that waits for more has lost its way."""


class Stream:
    """Parses a byte stream chunk by chunk; the frames do not depend on how it was cut.

    Blocks hold `capture_ns` on the NIC's clock (unwrapped, its own zero), the unwrapped `sequence` and a
    running `index`. Blocks of one call are grouped by shape; order by `index` gives the stream's order.

    Args:
        nic: the NIC whose records these are.
        as_recorded: keep clock and counter where they step back (flagged), instead of running on.

    Attributes:
        nic: as given.
        account: where every byte went so far; complete after `finish`.
        bytes_fed: bytes taken in so far, counted as they came.
    """

    def __init__(self, nic: Nic, *, as_recorded: bool = False) -> None:
        self.nic = nic
        self.account = Account()
        self.bytes_fed = 0
        self._left = b""
        self._buffer: npt.NDArray[np.uint8] | None = None
        self._frames = 0
        self._state: object = None
        self._clock = Clock(nic.CLOCK_WRAP_NS, as_recorded)
        self._numbering = Numbering(nic, as_recorded=as_recorded)

    @property
    def frames(self) -> int:
        """Frames given out so far."""
        return self._frames

    @property
    def left_over(self) -> int:
        """Bytes that wait for the rest of their record."""
        return len(self._left)

    def feed(self, data: bytes | memoryview) -> list[FrameBlock]:
        """Frames that these bytes complete."""
        self.bytes_fed += len(data)
        if not self._left:
            return self._parse(data, final=False)
        return self._parse(self._left + bytes(data), final=False)

    def fill(self, readinto: Callable[[memoryview], int]) -> list[FrameBlock] | None:
        """Read once into the stream's own buffer and parse it there, without a copy; None at the end.

        The quick way through a file: ``stream.fill(file.readinto)``.
        """
        if self._buffer is None:
            self._buffer = np.empty(2 * BUFFER_BYTES, np.uint8)  # at this size NumPy asks for huge pages
        left = len(self._left)
        view = self._buffer[:BUFFER_BYTES].data
        view[:left] = self._left
        count = readinto(view[left:])
        self.bytes_fed += count
        return self._parse(view[: left + count], final=False) if count else None

    def finish(self) -> list[FrameBlock]:
        """Frames in what is left; a record that is cut is counted as rejected."""
        return self._parse(self._left, final=True)

    def _parse(self, data: bytes | memoryview, *, final: bool) -> list[FrameBlock]:
        parsed: Parsed = self.nic.parse(data, final=final, state=self._state)
        self._state = parsed.state
        self.account.add(parsed.account)
        self._left = bytes(memoryview(data)[parsed.consumed :])
        if len(self._left) > MAX_LEFT_OVER:
            self.account.reject("no_record", len(self._left))
            self._left = b""
        return self._run_on(parsed.blocks)

    def _run_on(self, blocks: Sequence[FrameBlock]) -> list[FrameBlock]:
        """Put running time, counter and index into freshly parsed blocks, in stream order."""
        if not blocks:
            return []
        if len(blocks) == 1:
            return [self._run_on_one(blocks[0])]
        order = np.concatenate([block.index for block in blocks])
        raw = np.empty((2, len(order)), np.int64)
        raw[0, order] = np.concatenate([block.table["capture_ns"] for block in blocks])
        raw[1, order] = np.concatenate([block.table["sequence"] for block in blocks])
        senders = np.empty(len(order), np.uint64)
        senders[order] = np.concatenate([block.table["transmitter"] for block in blocks])
        times, time_flags = self._clock.unwrap(raw[0])
        counts, count_flags = self._numbering.unwrap(raw[1], senders)
        moved = []
        for block in blocks:
            block.table["capture_ns"] = times[block.index]
            block.table["sequence"] = counts[block.index]
            for flags in (time_flags, count_flags):
                if flags is not None:
                    block.table["flags"] |= flags[block.index]
            moved.append(replace(block, index=block.index + self._frames))
        self._frames += len(order)
        return moved

    def _run_on_one(self, block: FrameBlock) -> FrameBlock:
        """The same for a single block, which is in stream order already."""
        table = block.table
        table["capture_ns"], time_flags = self._clock.unwrap(table["capture_ns"])
        table["sequence"], count_flags = self._numbering.unwrap(table["sequence"], table["transmitter"])
        for flags in (time_flags, count_flags):
            if flags is not None:
                table["flags"] |= flags
        moved = replace(block, index=block.index + self._frames)
        self._frames += len(block)
        return moved
