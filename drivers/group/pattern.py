"""How many records one sender's frames have of late, and from which cores and streams."""

from collections import deque

Place = tuple[int, int]
"""Receive core and spatial stream."""
LATELY = 64
"""Frames that are remembered."""


class Pattern:
    """The largest set of places that one of a sender's latest frames had.

    Attributes:
        largest: that set; empty before the first frame.
    """

    def __init__(self) -> None:
        self.largest: frozenset[Place] = frozenset()
        self._recent: deque[frozenset[Place]] = deque(maxlen=LATELY)
        self._last = (0, 0)

    def __len__(self) -> int:
        return len(self.largest)

    def note(self, sequence: int, opened_ns: int, places: frozenset[Place], times: int = 1) -> None:
        """That many frames had these places; `sequence` and `opened_ns` are those of the last of them."""
        self._last = (sequence, opened_ns)
        for _ in range(min(times, LATELY)):
            forgotten = self._recent[0] if len(self._recent) == LATELY else frozenset()
            self._recent.append(places)
            if len(forgotten) == len(self.largest) > len(places):
                self.largest = max(self._recent, key=len)
        if len(places) >= len(self.largest):
            self.largest = places

    def note_late(self, sequence: int, now_ns: int, place: Place, within_ns: int) -> None:
        """A record came; if the frame it belongs to was thought whole, frames are larger than that."""
        if not self._recent or self._last[0] != sequence or abs(now_ns - self._last[1]) > within_ns:
            return
        if place not in self._recent[-1]:
            self._recent[-1] |= {place}
            if len(self._recent[-1]) > len(self.largest):
                self.largest = self._recent[-1]
