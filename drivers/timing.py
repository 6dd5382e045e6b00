"""Time axis and pace of what a publish loop sends."""

import time
from dataclasses import dataclass, field, replace

from drivers.frame import FrameBlock


@dataclass(slots=True)
class Timing:
    """Maps a replay's clock onto Unix time, and remembers the span that was published.

    Attributes:
        offset_ns: Unix time less the frames' own, None before the first one.
        zero_ns: the frames' own time of the capture's first one.
        first_ns, last_ns: earliest and latest Unix time published.
        started: monotonic time at which the first frame went.
    """

    offset_ns: int | None = None
    zero_ns: int | None = None
    first_ns: int | None = None
    last_ns: int | None = None
    started: float = field(default_factory=time.monotonic)

    def anchor(self, own_ns: int, unix_ns: int) -> None:
        """The frames' own time `own_ns` is `unix_ns`, and the clock on the wall starts now."""
        self.offset_ns, self.started = unix_ns - own_ns, time.monotonic()

    def shifted(self, block: FrameBlock) -> FrameBlock:
        """The block on Unix time."""
        if not self.offset_ns:
            return block
        table = block.table.copy()
        table["capture_ns"] += self.offset_ns
        return replace(block, table=table)

    def note(self, block: FrameBlock) -> None:
        """These frames are published."""
        times = block.table["capture_ns"]
        low, high = int(times.min()), int(times.max())
        self.first_ns = low if self.first_ns is None else min(self.first_ns, low)
        self.last_ns = high if self.last_ns is None else max(self.last_ns, high)

    def due(self, block: FrameBlock, speed: float) -> float:
        """Monotonic time at which the block's last frame is due at this factor of real time."""
        first = int(block.table["capture_ns"][0]) if self.first_ns is None else self.first_ns
        return self.started + (int(block.table["capture_ns"][-1]) - first) / 1e9 / speed

    @property
    def span_s(self) -> float:
        """Seconds of capture time published."""
        if self.first_ns is None or self.last_ns is None:
            return 0.0
        return (self.last_ns - self.first_ns) / 1e9
