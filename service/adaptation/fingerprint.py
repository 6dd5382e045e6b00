"""By what a recording is known again that was cut, came over another link, or has other times.

Every frame has a number, made of nothing but the shape of the channel that it measured. Of a span's numbers
the smallest are kept. Which these are is up to the frames alone: spans that share a part of their frames
share about that part of the numbers that both could have kept.
"""

import base64
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Self

import numpy as np
import numpy.typing as npt

from models.signal.link_buffer import LinkFrames
from models.signal.window import Window

Numbers = npt.NDArray[np.uint64]
_STEPS = np.float32(256)
"""Steps of power to the mean of a frame: rounding moves few values over an edge, noise moves nearly all."""
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_HELD_PER_S, _KEPT_PER_S, _KEPT_LEAST = 16, 4, 64
"""Numbers that are held of a second of one link, and kept of a second of a span; a short one keeps more."""
_BY_CHANCE = 1
"""One frame may come again, from a card that is stuck, say."""


def _nothing() -> Numbers:
    return np.empty(0, np.uint64)


@dataclass(frozen=True, slots=True, eq=False)
class FrameNumbers:
    """Smallest numbers of the frames of a moment, and the frames' capture times."""

    time_ns: npt.NDArray[np.int64]
    number: Numbers

    @property
    def nbytes(self) -> int:
        """Bytes of its arrays."""
        return self.time_ns.nbytes + self.number.nbytes


@dataclass(frozen=True, slots=True, eq=False)
class Fingerprint:
    """Smallest numbers of the frames of a span, rising, each once; none where it is not known."""

    number: Numbers = field(default_factory=_nothing)

    @classmethod
    def of(cls, moments: Iterable[FrameNumbers], from_ns: int, to_ns: int) -> Self:
        """Fingerprint of the span [from_ns, to_ns) of moments that cover it."""
        inside = [one.number[(one.time_ns >= from_ns) & (one.time_ns < to_ns)] for one in moments]
        kept = max(_KEPT_LEAST, math.ceil(_KEPT_PER_S * (to_ns - from_ns) / 1e9))
        return cls(np.unique(np.concatenate([_nothing(), *inside]))[:kept])

    @classmethod
    def from_text(cls, text: str) -> Self:
        """What `to_text` gave."""
        return cls(np.frombuffer(base64.b64decode(text), "<u8").astype(np.uint64))

    def to_text(self) -> str:
        """As text, to be stored."""
        return base64.b64encode(self.number.astype("<u8").tobytes()).decode()

    def shared(self, other: "Fingerprint") -> float:
        """Which share of the frames of the smaller span the other one holds as well, about."""
        if not len(self.number) or not len(other.number):
            return 0.0
        limit = min(self.number[-1], other.number[-1])
        mine, others = (one.number[one.number <= limit] for one in (self, other))
        both = len(np.intersect1d(mine, others, assume_unique=True))
        return both / min(len(mine), len(others)) if both > _BY_CHANCE else 0.0


def numbers_of(window: Window, seen_ns: int) -> FrameNumbers:
    """Of the frames of a window from `seen_ns` on, the end of the window before."""
    parts = [_of_part(part, seen_ns, window) for part in window.parts]
    return FrameNumbers(
        np.concatenate([np.empty(0, np.int64), *(part.time_ns for part in parts)]),
        np.concatenate([_nothing(), *(part.number for part in parts)]),
    )


def _of_part(part: LinkFrames, seen_ns: int, window: Window) -> FrameNumbers:
    first = int(np.searchsorted(part.time_ns, seen_ns))
    number, times = _numbered(part.power[first:]), part.time_ns[first:]
    held = math.ceil(_HELD_PER_S * (window.end_ns - max(seen_ns, window.start_ns)) / 1e9)
    if len(number) > held:
        least = np.argpartition(number, held)[:held]
        return FrameNumbers(times[least], number[least])
    return FrameNumbers(times, number)


def _numbered(power: npt.NDArray[np.float32]) -> Numbers:
    """A number for each frame ``[frame, ...]``."""
    values = power.reshape(len(power), math.prod(power.shape[1:]))
    steps = np.rint(values * _STEPS).astype(np.int64).view(np.uint64)
    return _mixed(steps @ _weights(values.shape[1]))


@lru_cache(maxsize=16)
def _weights(count: int) -> Numbers:
    return _mixed(np.arange(1, count + 1, dtype=np.uint64) * _GOLDEN)


def _mixed(values: Numbers) -> Numbers:
    """Every bit of each value made to depend on all others (the last step of SplitMix64)."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))
