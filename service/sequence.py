"""How many frames a NIC's own counter says were missed before they reached us."""

from drivers.frame import NO_SEQUENCE, FrameBlock


class SequenceSpan:
    """Counts by the span of the counter, so blocks may come in any order."""

    def __init__(self) -> None:
        self._low: int | None = None
        self._high = 0
        self._frames = 0

    def add(self, block: FrameBlock) -> None:
        """Take in the counter values of a block; frames of a NIC that counts nothing do not matter."""
        counts = block.table["sequence"]
        counts = counts[counts != NO_SEQUENCE]
        if not len(counts):
            return
        low, high = int(counts.min()), int(counts.max())
        self._low, self._high = (
            (low, high) if self._low is None else (min(low, self._low), max(high, self._high))
        )
        self._frames += len(counts)

    @property
    def missing(self) -> int:
        """Frames the NIC counted that are not among those added."""
        return 0 if self._low is None else max(self._high - self._low + 1 - self._frames, 0)
