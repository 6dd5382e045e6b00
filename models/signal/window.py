"""Sliding windows over the frames of one room: bounded in memory, the same online and offline.

Windows end on multiples of the hop in Unix capture time and close once a frame is seen `lateness_s` past
their end. What comes out depends on the frames alone, never on how they were cut into blocks.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from drivers.frame import FrameBlock
from models.signal.link_buffer import LinkBuffer, LinkFrames
from models.signal.resample import occupancy

MIN_OCCUPANCY = 0.7
"""Least share of filled time bins to predict on (DESIGN, Words)."""
_SECOND = 1_000_000_000
_RATE_MEMORY = 0.98  # share of a link's nominal rate that survives a slower window: a gap is no new rate
_RATE_FLOOR_HZ = 5.0


@dataclass(frozen=True)
class WindowSpec:
    """Length and hop of windows, and how long late frames are waited for, in seconds of capture time."""

    length_s: float = 4.0
    hop_s: float = 1.0
    lateness_s: float = 0.25

    def __post_init__(self) -> None:
        if not 0 < self.hop_s <= self.length_s or self.lateness_s < 0:
            raise ValueError(f"window of {self.length_s} s every {self.hop_s} s, late by {self.lateness_s} s")


@dataclass(frozen=True, slots=True)
class PushCount:
    """What became of the frames of one block: ``len(block) == accepted + late + sum(rejected)``."""

    accepted: int
    late: int
    rejected: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """The frames of one room over [start_ns, end_ns).

    Attributes:
        links: names of the links that hold frames, sorted; `nics` are their NICs, in the same order.
        frames: number of frames in all.
        occupancy: share of time bins that hold a frame, of the best link (DESIGN, Words).
        parts: canonical frames, one part a link, in the order of `links`.
    """

    start_ns: int
    end_ns: int
    links: tuple[str, ...]
    nics: tuple[str, ...]
    frames: int
    occupancy: float
    parts: tuple[LinkFrames, ...]


class Rates:
    """At which rate each link is believed to run: what a window shows, or nearly what earlier ones did."""

    def __init__(self) -> None:
        self._nominal_hz: dict[str, float] = {}

    def of(self, part: LinkFrames) -> float:
        """Rate of the link in Hz; windows come in order of time."""
        steps = np.diff(part.time_ns)
        seen = _SECOND / max(float(np.median(steps)), 1.0) if len(steps) else 0.0
        kept = self._nominal_hz.get(part.link, _RATE_FLOOR_HZ) * _RATE_MEMORY
        self._nominal_hz[part.link] = max(seen, kept, _RATE_FLOOR_HZ)
        return self._nominal_hz[part.link]


def window_of(parts: Sequence[LinkFrames], start_ns: int, end_ns: int, rates: Rates) -> Window:
    """The window of these frames, which lie inside it; `parts` are in order of link name."""
    filled = [occupancy(part.time_ns, start_ns, end_ns, rates.of(part)) for part in parts]
    return Window(
        start_ns=start_ns,
        end_ns=end_ns,
        links=tuple(part.link for part in parts),
        nics=tuple(part.nic for part in parts),
        frames=sum(len(part.time_ns) for part in parts),
        occupancy=max(filled, default=0.0),
        parts=tuple(parts),
    )


class RoomBuffer:
    """Frames of one room until no window needs them any more."""

    def __init__(self, spec: WindowSpec) -> None:
        self.spec = spec
        self._length = round(spec.length_s * _SECOND)
        self._hop = round(spec.hop_s * _SECOND)
        self._lateness = round(spec.lateness_s * _SECOND)
        self._links: dict[str, LinkBuffer] = {}
        self._rates = Rates()
        self._next_end: int | None = None
        self._late_before: int | None = None
        self._newest: int | None = None
        self._was_empty = False

    def push(self, link: str, block: FrameBlock) -> PushCount:
        """Take the frames of one block, in any order of capture time.

        Rejected are frames that measure nothing (``all_zero``, or ``unusable``: none of their subcarriers
        holds the channel) and frames beyond what one link may hold (``buffer_full``: nobody called `closed`);
        late are frames whose last window has closed already.
        """
        if not (block.usable & (block.subcarrier_index != 0)).any() or not block.present.any():
            return PushCount(0, 0, {"unusable": len(block)})
        times = block.table["capture_ns"]
        raw = block.raw if block.usable.all() else block.raw[:, block.usable]
        zero = ~raw.reshape(len(block), math.prod(raw.shape[1:])).any(axis=1)
        late = np.zeros(len(block), np.bool_)
        if self._late_before is not None:
            late = (times < self._late_before) & ~zero
        buffer = self._links.setdefault(link, LinkBuffer(link))
        taken, full = buffer.push(block, ~(zero | late))
        if len(taken):
            self._note(times[taken])
        rejected = Counter(all_zero=int(zero.sum()), buffer_full=full)
        return PushCount(len(taken), int(late.sum()), {why: n for why, n in rejected.items() if n})

    def closed(self, *, flush: bool = False) -> list[Window]:
        """Windows whose end has passed by `lateness_s` (with `flush`: has passed), oldest first, each once.

        Of a run of windows without a frame only the first comes out.
        """
        windows: list[Window] = []
        wait = 0 if flush else self._lateness
        while self._next_end is not None and self._newest is not None:
            if self._newest < self._next_end + wait:
                break
            window = self._cut(self._next_end)
            if window.frames or not self._was_empty:
                windows.append(window)
            self._was_empty = window.frames == 0
            self._advance(window)
        return windows

    def skip_to(self, end_ns: int) -> None:
        """Leave out windows that end at or before `end_ns`: they were predicted before a restart."""
        following = (end_ns // self._hop + 1) * self._hop
        if self._next_end is None or self._next_end < following:
            self._next_end = following
            self._late_before = following - self._length
            self._trim(self._next_end - self._length)

    def _note(self, times: npt.NDArray[np.int64]) -> None:
        newest = int(times.max())
        self._newest = newest if self._newest is None else max(self._newest, newest)
        if self._next_end is None:
            self._next_end = (int(times[0]) // self._hop + 1) * self._hop
            self._late_before = self._next_end - self._length

    def _cut(self, end_ns: int) -> Window:
        start_ns = end_ns - self._length
        parts = [self._links[name].frames(start_ns, end_ns) for name in sorted(self._links)]
        return window_of([part for part in parts if part is not None], start_ns, end_ns, self._rates)

    def _advance(self, window: Window) -> None:
        """Move on by one hop, or over a gap to the first window that holds a frame."""
        following = window.end_ns + self._hop
        if window.frames == 0:
            ahead = [
                t for buffer in self._links.values() if (t := buffer.oldest_ns(window.start_ns)) is not None
            ]
            if ahead:
                following = max(following, (min(ahead) // self._hop + 1) * self._hop)
        self._next_end = following
        self._late_before = window.end_ns
        self._trim(following - self._length)

    def _trim(self, before_ns: int) -> None:
        for buffer in self._links.values():
            buffer.forget(before_ns)
