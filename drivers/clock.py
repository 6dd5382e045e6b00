"""Clock and frame counter of a NIC, made to run on where they wrap, jump back or stand still."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from drivers.frame import NO_SEQUENCE, FrameFlag

OUT_OF_ORDER_NS = 1_000_000_000
"""A step back of at most this much is a frame that came late; a larger one is a clock that was reset."""
AFTER_RESET_NS = 1_000
"""How far after the frame before time goes on when the clock was reset: the true gap is unknown."""

Ints = npt.NDArray[np.int64]


def _signed_steps(values: Ints, before: int, wrap: int | None) -> Ints:
    """Differences to the value before, taken as the shorter way round the wrap."""
    steps = np.diff(values, prepend=np.int64(before))
    if wrap is not None:
        steps = (steps + wrap // 2) % wrap - wrap // 2
    return steps


@dataclass(slots=True)
class Clock:
    """Unwraps a NIC's clock across buffers.

    Args:
        wrap_ns: span after which the clock starts over, None if it does not.
    """

    wrap_ns: int | None
    _raw: int | None = None
    _time: int = 0

    def unwrap(self, raw: Ints) -> tuple[Ints, npt.NDArray[np.uint32]]:
        """Running time in ns and flags (CLOCK_RESET, CLOCK_STUCK) of frames in stream order.

        A forward step is taken modulo the wrap, so a pause of more than half of it reads as a reset.
        """
        flags = np.zeros(len(raw), np.uint32)
        if not len(raw):
            return raw, flags
        first = self._raw is None
        steps = _signed_steps(raw, int(raw[0]) if self._raw is None else self._raw, self.wrap_ns)
        stuck, reset = steps == 0, steps < -OUT_OF_ORDER_NS
        stuck[0] &= not first
        flags[stuck] = FrameFlag.CLOCK_STUCK
        flags[reset] = FrameFlag.CLOCK_RESET
        steps[reset] = AFTER_RESET_NS
        times = np.cumsum(steps) + (int(raw[0]) if first else self._time)
        self._raw, self._time = int(raw[-1]), int(times[-1])
        return times, flags


@dataclass(slots=True)
class Counter:
    """Unwraps a NIC's frame counter across buffers.

    Args:
        wrap: number after which it starts over, None if the NIC counts nothing.
    """

    wrap: int | None
    _raw: int | None = None
    _count: int = 0

    def unwrap(self, raw: Ints) -> tuple[Ints, npt.NDArray[np.uint32]]:
        """Running counter and flags (SEQUENCE_RESET) of frames in stream order.

        A counter that stepped back goes on one after the frame before.
        """
        flags = np.zeros(len(raw), np.uint32)
        if self.wrap is None or not len(raw):
            return np.full(len(raw), NO_SEQUENCE, np.int64), flags
        first = self._raw is None
        steps = _signed_steps(raw, int(raw[0]) if self._raw is None else self._raw, self.wrap)
        back = steps < 0
        flags[back] = FrameFlag.SEQUENCE_RESET
        steps[back] = 1
        counts = np.cumsum(steps) + (int(raw[0]) if first else self._count)
        self._raw, self._count = int(raw[-1]), int(counts[-1])
        return counts, flags
