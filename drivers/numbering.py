"""The running frame numbers of a stream: one counter of the card, or one of each transmitter.

The 802.11 sequence number (12 bits) is counted by whoever sends: two senders heard in turn have two counts,
and a frame that was sent again, or waited in another queue, comes a few numbers late.
"""

import numpy as np
import numpy.typing as npt

from drivers.clock import Counter, Flags, Ints
from drivers.registry import Nic

SEQUENCE_NUMBERS = 4096
"""Of 802.11 (9.2.4.4): a card that counts so gives the sender's number."""
LATE = 64
"""A step back of at most this many is a late frame: the longest window of a block acknowledgement."""
MAX_TRANSMITTERS = 256
"""Of more than this, the one unheard for longest starts anew when it comes again."""


class Numbering:
    """Unwraps a stream's frame numbers, buffer by buffer; where it was cut does not matter.

    Args:
        nic: whose frames these are.
        as_recorded: keep numbers that step back (flagged), instead of running on.
    """

    def __init__(self, nic: Nic, *, as_recorded: bool = False) -> None:
        self._wrap, self._as_recorded = nic.SEQUENCE_WRAP, as_recorded
        self._repeats = nic.GROUP_WITHIN_NS is None
        self._by_sender = nic.TELLS_TRANSMITTER and nic.SEQUENCE_WRAP == SEQUENCE_NUMBERS
        self._one = self._counter()
        self._counters: dict[int, Counter] = {}

    def unwrap(self, numbers: Ints, senders: npt.NDArray[np.uint64]) -> tuple[Ints, Flags | None]:
        """Running numbers of frames in stream order, and their flags; None where nothing is odd."""
        if not self._by_sender or not len(numbers):
            return self._one.unwrap(numbers)
        first = int(senders[0])
        if (senders == senders[0]).all():
            return self._of(first).unwrap(numbers)
        found, last = np.unique(senders[::-1], return_index=True)
        known = len(self._counters.keys() | set(found.tolist()))
        if known > MAX_TRANSMITTERS:
            return self._by_halves(numbers, senders)
        values, flags = np.empty(len(numbers), np.int64), np.zeros(len(numbers), np.uint32)
        for sender in found[np.argsort(-last)].tolist():  # who was heard last is last
            rows = senders == np.uint64(sender)
            values[rows], odd = self._of(sender).unwrap(numbers[rows])
            if odd is not None:
                flags[rows] = odd
        return values, flags if flags.any() else None

    def _by_halves(self, numbers: Ints, senders: npt.NDArray[np.uint64]) -> tuple[Ints, Flags | None]:
        """Too many senders at once: who is forgotten must not depend on who comes with whom."""
        middle = len(numbers) // 2
        values, flags = zip(
            *(self.unwrap(numbers[part], senders[part]) for part in (slice(middle), slice(middle, None))),
            strict=True,
        )
        kept = [np.zeros(len(v), np.uint32) if f is None else f for v, f in zip(values, flags, strict=True)]
        return np.concatenate(values), np.concatenate(kept)

    def _of(self, sender: int) -> Counter:
        """The sender's counter, now the one heard last."""
        counter = self._counters.pop(sender, None) or self._counter()
        self._counters[sender] = counter
        if len(self._counters) > MAX_TRANSMITTERS:
            del self._counters[next(iter(self._counters))]
        return counter

    def _counter(self) -> Counter:
        late = LATE if self._by_sender else 0
        return Counter(self._wrap, self._as_recorded, repeats=self._repeats, late=late)
