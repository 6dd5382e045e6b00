"""Record framing of Atheros captures: where the CSI records are, and what became of every other byte.

A file is ``{u16 length, record}`` over and over in the writing host's byte order, sometimes behind one lead
byte that tells that order. There is no marker and no checksum, but each record says its length twice, and
some fields can hold few values: together some 35 bits of evidence for a *sound* header. Hence the rules:

* The byte order is that of the first sound header of the stream, looked for in both; it is decided once.
* A record whose lengths agree ends where they say, unless no record follows it and another sound header
  starts inside it: then it was cut, and only it is lost. (Its payload is a packet off the air and may hold
  anything, records too: what is inside a record that another one follows is not looked at.)
* Any other record ends where it says if a sound header stands there, or else at the next sound one; at the
  next one in any case if its lengths do not agree.
"""

from typing import Literal

import numpy as np
import numpy.typing as npt

from drivers.account import Account
from drivers.atheros.layout import (
    CHAINS,
    CSI_LENGTHS,
    FIXED,
    HEAD_BYTES,
    LEAD_BYTE,
    MAX_RECORD,
    TONES,
    Head,
    Order,
    read_head,
)
from drivers.atheros.run import Runs

SEARCH_BYTES = 1 << 16
_FIRST_PIECE = 4096  # most searches end within it


class Framing:
    """Walks over a buffer that starts at a record; `walk` fills `consumed`, `account` and `order`.

    Args:
        data: the buffer.
        final: nothing follows, so a cut last record is a reject.
        order: byte order, None at the stream's start.

    Attributes:
        consumed: bytes dealt with.
        account: what they were.
        order: byte order, None while no sound header was seen.
        first: where the header that decided on the order stands.
        has_lead_byte: whether a lead byte was found before it.
    """

    def __init__(self, data: bytes | memoryview, *, final: bool, order: Order | None = None) -> None:
        self._data, self._final, self._size = memoryview(data), final, len(data)
        self._bytes = np.frombuffer(data, np.uint8)
        self._runs = Runs(self._bytes)
        self.account = Account()
        self.consumed = self.first = 0
        self.order = order
        self.has_lead_byte = False

    def walk(self) -> npt.NDArray[np.int64]:
        """Offset of each frame's record (its length included), in stream order."""
        while self.order is None and self._decide(self.consumed):
            pass
        if self.order is not None:
            while self._step(self.consumed, self.order):
                pass
        return self._runs.positions()

    def _decide(self, at: int) -> bool:
        """Find the byte order, or pass over what holds no sound header; False when no more can be done."""
        stop, found = at + SEARCH_BYTES, None
        for order in LEAD_BYTE:
            if (place := self._find_sound(at, stop, order)) is not None:
                stop, found = place, order  # the other order must have one before it
        if found is not None:
            self.first, self.order = stop, found
            if self.first == at + 1 and self._data[at] == LEAD_BYTE[self.order]:
                self.account.container(1)
                self.consumed = self.first
                self.has_lead_byte = True
            return True
        if self._size >= at + SEARCH_BYTES + HEAD_BYTES:
            return self._reject("resync", at, at + SEARCH_BYTES)
        if self._final and at < self._size:
            return self._reject("resync" if self._size - at >= HEAD_BYTES else "truncated", at, self._size)
        return False

    def _step(self, at: int, order: Order) -> bool:
        """Deal with the record at `at`; False when it needs more bytes or none are left."""
        if at + HEAD_BYTES > self._size:
            return at < self._size and self._final and self._reject("truncated", at, self._size)
        head = read_head(self._data, at, order)
        end = at + 2 + head.length
        if not head.adds_up:
            return self._damaged(
                at, end, "bad_length" if head.looks_right else "resync", order, adds_up=False
            )
        if head.csi_len and (reason := head.contradiction) is not None:
            return self._damaged(at, end, reason, order)
        return self._whole(at, end, head, order)

    def _whole(self, at: int, end: int, head: Head, order: Order) -> bool:
        """A record in whose header nothing is wrong."""
        if end > self._size:
            return self._final and self._cut(at, order)
        inner = None if self._follows(end, order) else self._find_sound(at + 1, end, order)
        if not self._final and self._must_wait(end, inner, order):
            return False
        if inner is not None and end < self._size:
            return self._reject("truncated", at, inner)
        return self._record(at, end, head, order)

    def _record(self, at: int, end: int, head: Head, order: Order) -> bool:
        """A whole record: a frame, and with it all that repeat it, or one without CSI."""
        self.consumed = end
        if not head.csi_len:
            self.account.skip("no_csi", end - at)
            return True
        more, self.consumed = self._runs.frame(at, end, order)
        self.account.frame(1 + more, self.consumed - at)
        return True

    def _must_wait(self, end: int, inner: int | None, order: Order) -> bool:
        """Whether more bytes might show that the record that ends at `end` was cut.

        A live record is not held back until the next one comes, unless there is a sign that it was cut.
        """
        if end == self._size:
            return inner is not None or self._may_be_cut(end, order)
        return end + HEAD_BYTES > self._size

    def _may_be_cut(self, end: int, order: Order) -> bool:
        """Whether the buffer's last bytes look like the start of a CSI record, at least two lengths."""
        name: Literal["little", "big"] = "little" if order == "<" else "big"
        for at in range(max(end - HEAD_BYTES + 1, 0), end - 11):
            length = int.from_bytes(self._data[at : at + 2], name)
            csi_len = int.from_bytes(self._data[at + 10 : at + 12], name)
            if csi_len in CSI_LENGTHS and FIXED + csi_len <= length <= MAX_RECORD:
                return True
        return False

    def _damaged(self, at: int, end: int, reason: str, order: Order, *, adds_up: bool = True) -> bool:
        """A record whose fields contradict each other."""
        if end - at <= MAX_RECORD:
            if end + HEAD_BYTES > self._size and not self._final:
                return False
            if end == self._size or self._follows(end, order):
                # A length that nothing confirms may hit upon a later record by chance.
                inner = None if adds_up else self._find_sound(at + 1, end, order)
                return self._reject(reason, at, end if inner is None else inner)
        found = self._find_sound(at + 1, at + 1 + SEARCH_BYTES, order)
        if found is not None:
            return self._reject(reason, at, found)
        if self._size >= at + SEARCH_BYTES + HEAD_BYTES:
            return self._reject("resync", at, at + SEARCH_BYTES)
        return self._final and self._reject(reason, at, self._size)

    def _cut(self, at: int, order: Order) -> bool:
        """The stream ended within this record, or it was cut and another one follows."""
        inner = self._find_sound(at + 1, self._size, order)
        return self._reject("truncated", at, self._size if inner is None else inner)

    def _reject(self, reason: str, at: int, end: int) -> bool:
        self.account.reject(reason, end - at)
        self.consumed = end
        return True

    def _follows(self, at: int, order: Order) -> bool:
        """Whether a sound header stands here, wholly within the buffer."""
        return at + HEAD_BYTES <= self._size and read_head(self._data, at, order).is_sound

    def _find_sound(self, start: int, stop: int, order: Order) -> int | None:
        """First offset in [start, stop) where a sound header stands wholly within the buffer."""
        stop, piece = min(stop, self._size - HEAD_BYTES + 1), _FIRST_PIECE
        while start < stop:
            end = min(start + piece, stop)
            # All at once, not place by place: noise may be full of places that look right at first sight.
            bandwidth, tones, nr = (self._bytes[start + at : end + at] for at in (17, 18, 19))
            likely = (
                (bandwidth <= max(TONES)) & ((tones == TONES[0]) | (tones == TONES[1])) & (nr - 1 < CHAINS)
            )
            hits = np.flatnonzero(likely) + start
            length, csi_len, payload_len = (self._words(hits + at, order) for at in (0, 10, 25))
            agree = length == FIXED + csi_len + payload_len
            if agree.any():
                return int(hits[agree][0])
            start, piece = end, SEARCH_BYTES
        return None

    def _words(self, at: npt.NDArray[np.int64], order: Order) -> npt.NDArray[np.int64]:
        """16-bit numbers at these places."""
        high, low = (at, at + 1) if order == ">" else (at + 1, at)
        return self._bytes[high].astype(np.int64) * 256 + self._bytes[low]
