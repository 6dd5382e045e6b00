"""Where a walk over a capture file stands, shared by the readers of both kinds of file."""

import numpy as np
import numpy.typing as npt

from drivers.account import Account
from drivers.pcap.container import Container
from drivers.pcap.packets import Columns

MAX_PACKET = 1 << 18
"""Longest packet that is believed: tcpdump's own limit (MAXIMUM_SNAPLEN)."""
SEARCH_BYTES = 1 << 16


class Cursor:
    """A place in a buffer, and what was found so far.

    Args:
        data: the buffer.
        final: nothing follows it.
        state: what the file said before.

    Attributes:
        at: everything before is accounted for, but for the bytes of the packets.
    """

    def __init__(self, data: bytes | memoryview, *, final: bool, state: Container | None) -> None:
        self.data, self.final, self.state = memoryview(data), final, state
        self.bytes: npt.NDArray[np.uint8] = np.frombuffer(data, np.uint8)
        self.size = len(data)
        self.account, self.columns = Account(), Columns()
        self.at = 0

    @property
    def left(self) -> int:
        """Bytes not dealt with."""
        return self.size - self.at

    def header(self, end: int, state: Container) -> bool:
        """The bytes up to `end` say something about the file."""
        if state.interfaces is not (self.state and self.state.interfaces):
            self.columns.close(self.data, self.state)
        self.account.container(end - self.at)
        self.at, self.state = end, state
        return True

    def reject(self, reason: str, end: int) -> bool:
        """The bytes up to `end` are damaged."""
        self.account.reject(reason, end - self.at)
        self.at = end
        return True

    def skip(self, reason: str, end: int) -> bool:
        """The bytes up to `end` are sound, but hold no packet."""
        self.account.skip(reason, end - self.at)
        self.at = end
        return True

    def cut_end(self) -> bool:
        """Fewer bytes are left than a header has: wait, or give them up."""
        return self.final and self.left > 0 and self.reject("truncated", self.size)

    def resync(self, reason: str, found: int | None, least: int) -> bool:
        """Go on where a record was found, or pass over as much as was searched.

        Args:
            reason: why what stands here is no record.
            found: where the next one is, None if none was found.
            least: bytes that a search must see behind a place to judge it.
        """
        if found is not None:
            return self.reject(reason, found)
        if self.left >= SEARCH_BYTES + least:
            return self.reject("resync", self.at + SEARCH_BYTES)
        return self.final and self.reject(reason, self.size)
