"""Record framing of Intel 5300 logs: where the CSI records are, and what became of every other byte.

A log is ``{u16 big-endian n, u8 code, n - 1 bytes}`` over and over (linux-80211n-csitool-supplementary,
log_to_file.c), without a header or a checksum. A CSI record says its length twice and its antennas once, so a
*sound* header is some 50 bits of evidence; no other record has any. Hence the rules:

* A sound CSI record is a frame, unless no record follows it and another sound header starts inside it: then
  it was cut, and only it is lost.
* Any other record ends where the next header stands: the one behind it, or else a sound one inside it.
* Where no record can be made out, bytes are passed over up to the next sound header.
"""

import numpy as np
import numpy.typing as npt

from drivers.account import Account
from drivers.intel5300.cycle import Cycle

CSI = 0xBB
OTHER_CODES = frozenset({0xC0, 0xC1, 0xC3, 0xC5, 0x1C, 0xD0, 0xD1})
"""rx phy, rx MPDU, rx, block-ack, tx response, noise, status (dvm/connector.h)."""
HEAD_BYTES = 23
"""n, code and the fixed part of a CSI record."""
MAX_OTHER = 4096
"""Longest record of another kind that is believed; the logger's own buffer is this long."""
SEARCH_BYTES = 1 << 16
SIZES = {(nrx, ntx): 60 * nrx * ntx + 33 for nrx in (1, 2, 3) for ntx in (1, 2, 3)}
"""n of a CSI record by (Nrx, Ntx): 21 + (30 * (16 * Nrx * Ntx + 3) + 7) // 8."""
_SIZES = frozenset(SIZES.values())
_HIGHEST = max(_SIZES) >> 8


class Framing:
    """Walks over a buffer that starts at a record; `walk` fills `consumed` and `account`.

    Args:
        data: the buffer.
        final: nothing follows, so a cut last record is a reject.

    Attributes:
        consumed: bytes dealt with.
        account: what they were.
        starts_with_record: False if nothing at the buffer's start can be a record.
    """

    def __init__(self, data: bytes | memoryview, *, final: bool) -> None:
        self._data, self._final, self._size = memoryview(data), final, len(data)
        self._bytes = np.frombuffer(data, np.uint8)
        self._cycle = Cycle(self._bytes)
        self.account = Account()
        self.consumed = 0
        self.starts_with_record = True

    def walk(self) -> npt.NDArray[np.int64]:
        """Offset of each frame's record, in stream order."""
        while self._step(self.consumed):
            pass
        return self._cycle.positions()

    @property
    def starts_sound(self) -> bool:
        """Whether the buffer starts with a CSI record's header."""
        return self._size >= HEAD_BYTES and self._is_sound(0)

    def _step(self, at: int) -> bool:
        """Deal with the record at `at`; False when it needs more bytes or none are left."""
        data, left = self._data, self._size - at
        if left < 3:
            return self._cut(at) if left and self._final else False
        n, code = data[at] << 8 | data[at + 1], data[at + 2]
        if n == 0:
            return self._empty(at)
        if code == CSI:
            return self._csi(at, n)
        return self._other(at, n) if code in OTHER_CODES else self._unknown(at, n)

    def _csi(self, at: int, n: int) -> bool:
        end = at + 2 + n
        if n < HEAD_BYTES - 2:
            return self._damaged(at, end, "bad_length")
        if at + HEAD_BYTES > self._size:
            return self._final and self._cut(at)
        if self._is_sound(at):
            return self._frame(at, end)
        nrx, ntx = self._data[at + 11], self._data[at + 12]
        return self._damaged(at, end, "bad_length" if (nrx, ntx) in SIZES else "bad_antennas")

    def _frame(self, at: int, end: int) -> bool:
        if end > self._size:
            return self._final and self._cut(at)
        follows = self._follows(end)
        if not follows:
            if self._must_wait(end) if follows is False or end < self._size else self._may_be_cut(end):
                return False
            if (inner := self._find_sound(at + 3, end)) is not None:
                return self._reject("truncated", at, inner)
        self.account.frame(1, end - at)
        self.consumed = end
        cycles, stride, others = self._cycle.frame(at, end)
        if cycles:
            self._take_cycles(cycles, stride, others)
        return True

    def _take_cycles(self, cycles: int, stride: int, others: int) -> None:
        """Account for `cycles` repetitions of the records since the frame before, found in one step."""
        sizes = self._cycle.other_sizes
        self.account.frame(cycles, cycles * (stride - sum(sizes)))
        if others:
            self.account.skip("non_csi", cycles * sum(sizes), cycles * others)
        self.consumed += cycles * stride

    def _other(self, at: int, n: int) -> bool:
        end = at + 2 + n
        if n > MAX_OTHER:
            return self._damaged(at, end, "bad_length")
        if end > self._size:
            return self._final and self._cut(at)
        follows = self._follows(end)
        if not follows:
            if self._must_wait(end):
                return False
            if (inner := self._find_sound(at + 3, end)) is not None:
                return self._reject("bad_length", at, inner)
        self._cycle.other(at, end)
        return self._skip("non_csi", at, end)

    def _unknown(self, at: int, n: int) -> bool:
        end = at + 2 + n
        if n > MAX_OTHER:
            return self._resync(at)
        follows = self._follows(end)
        if follows is None and not self._final:
            return False
        if follows or end == self._size:
            self._cycle.broken()
            return self._skip("unknown_record", at, end)
        return self._resync(at)

    def _empty(self, at: int) -> bool:
        """Records of length 0; a run of them (a file padded with zeros) goes in one step."""
        window = self._bytes[at : at + SEARCH_BYTES]
        zeros = int(np.argmax(window != 0)) or len(window)
        sure = (zeros - 1) // 2  # all but the last pair, which must be followed by a record
        if not sure:
            if at + 5 > self._size and not self._final:
                return False
            if at + 5 <= self._size and not self._is_plausible(at + 2):
                return self._resync(at)
            sure = 1
        self._cycle.broken()
        return self._skip("empty", at, at + 2 * sure, sure)

    def _damaged(self, at: int, end: int, reason: str) -> bool:
        """A record whose fields contradict each other: it ends at the next sound header, or where it says."""
        inner = self._find_sound(at + 3, end)
        if inner is None and self._must_wait(end):
            return False
        return self._reject(reason, at, min(end, self._size) if inner is None else inner)

    def _resync(self, at: int) -> bool:
        """Pass over what is no record."""
        self.starts_with_record = self.starts_with_record and at > 0
        found = self._find_sound(at + 1, at + 1 + SEARCH_BYTES)
        if found is not None:
            return self._reject("resync", at, found)
        if self._size >= at + SEARCH_BYTES + HEAD_BYTES:
            return self._reject("resync", at, at + SEARCH_BYTES)
        return self._final and self._reject("resync", at, self._size)

    def _cut(self, at: int) -> bool:
        """The stream ended within this record, or it was cut and another one follows."""
        inner = self._find_sound(at + 3, self._size)
        return self._reject("truncated", at, self._size if inner is None else inner)

    def _reject(self, reason: str, at: int, end: int) -> bool:
        self._cycle.broken()
        self.account.reject(reason, end - at)
        self.consumed = end
        return True

    def _skip(self, reason: str, at: int, end: int, count: int = 1) -> bool:
        self.account.skip(reason, end - at, count)
        self.consumed = end
        return True

    def _follows(self, at: int) -> bool | None:
        """Whether a record starts here, behind another one; None if too few bytes are there to tell.

        A CSI record must be sound; any other must itself be followed by a plausible header.
        """
        data = self._data
        if at + 3 > self._size:
            return None
        n, code = data[at] << 8 | data[at + 1], data[at + 2]
        if not self._is_plausible(at):
            return False
        if code == CSI:
            return self._is_sound(at) if at + HEAD_BYTES <= self._size else None
        end = at + 2 + n
        return self._is_plausible(end) if end + 3 <= self._size else None

    def _must_wait(self, end: int) -> bool:
        """Whether a header that starts before `end` might not be wholly there yet."""
        return not self._final and end + HEAD_BYTES > self._size

    def _may_be_cut(self, end: int) -> bool:
        """Whether the last bytes of the buffer look like the start of another record's header.

        A live record is not held back until the next one comes, unless it ends so. (One last byte says too
        little: a record that lost just its last byte is noticed only if the next one is in the buffer.)
        """
        data = self._data
        return not self._final and any(
            data[at] << 8 | data[at + 1] in _SIZES and (at + 2 == end or data[at + 2] == CSI)
            for at in range(end - HEAD_BYTES + 1, end - 1)
        )

    def _is_plausible(self, at: int) -> bool:
        """Whether a known kind of record of a possible length may start here (3 bytes are looked at)."""
        data = self._data
        n, code = data[at] << 8 | data[at + 1], data[at + 2]
        return n in _SIZES if code == CSI else code in OTHER_CODES and 0 < n <= MAX_OTHER

    def _is_sound(self, at: int) -> bool:
        """Whether a CSI record starts here whose lengths and antennas agree (23 bytes are looked at)."""
        data = self._data
        n = data[at] << 8 | data[at + 1]
        inner = (data[at + 19] | data[at + 20] << 8) + 21
        return data[at + 2] == CSI and SIZES.get((data[at + 11], data[at + 12])) == n == inner

    def _find_sound(self, start: int, stop: int) -> int | None:
        """First offset in [start, stop) where a sound header stands wholly within the buffer."""
        stop = min(stop, self._size - HEAD_BYTES + 1)
        if start >= stop:
            return None
        # All at once, not place by place: noise may be full of places that look right at first sight.
        high, low, code, nrx, ntx, inner, top = (
            self._bytes[start + at : stop + at] for at in (0, 1, 2, 11, 12, 19, 20)
        )
        likely = (code == CSI) & (high <= _HIGHEST) & (top <= _HIGHEST) & (nrx - 1 < 3) & (ntx - 1 < 3)
        hits = np.flatnonzero(likely)
        n = high[hits].astype(np.int64) * 256 + low[hits]
        agree = n == 60 * nrx[hits].astype(np.int64) * ntx[hits] + 33
        agree &= n == top[hits].astype(np.int64) * 256 + inner[hits] + 21
        return int(hits[agree][0]) + start if agree.any() else None
