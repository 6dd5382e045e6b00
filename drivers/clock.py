"""Clock and frame counter of a NIC, made to run on where they wrap, jump back or stand still."""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from drivers.frame import NO_SEQUENCE, FrameFlag

OUT_OF_ORDER_NS = 1_000_000_000
"""A step back of at most this much is a frame that came late; a larger one is a clock that was reset."""
LONGEST_PAUSE_NS = 365 * 86_400 * 1_000_000_000
"""No stream pauses for a year: a longer step is a damaged time, or a host that was told the date."""
LATEST = 2**62
"""Running values stay below this, so that a stream of nothing but such steps overflows nowhere."""
AFTER_RESET_NS = 1_000
"""How far after the frame before time goes on when the clock was reset: the true gap is unknown."""

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.uint32]


@dataclass(slots=True)
class _Unwrapper(ABC):
    """Running value of a counter that starts over at `wrap` (None: it does not).

    With `as_recorded` a step back is flagged and kept, else the value runs on as if it had not happened.
    """

    wrap: int | None
    as_recorded: bool = False
    _raw: int = 0
    _value: int = 0
    _started: bool = False

    def unwrap(self, raw: Ints) -> tuple[Ints, Flags | None]:
        """Running values of frames in stream order, and their flags; None where nothing is odd."""
        if not len(raw):
            return raw, None
        raw = np.ascontiguousarray(raw)
        if not self._started:
            self._raw, self._value, self._started = int(raw[0]), int(raw[0]), True
            values, flags = self._run_on(raw, fresh=True)
        else:
            values, flags = self._run_on(raw, fresh=False)
        self._raw, self._value = int(raw[-1]), int(values[-1])
        return values, flags

    def _run_on(self, raw: Ints, *, fresh: bool) -> tuple[Ints, Flags | None]:
        steps = np.subtract(raw[1:], raw[:-1])
        first = int(raw[0]) - self._raw
        low, high = int(steps.min(initial=max(first, 1))), int(steps.max(initial=first))
        low, ahead = min(low, 1 if fresh else first), self._value - self._raw
        far_step = LONGEST_PAUSE_NS if self.wrap is None else self.wrap // 2
        if low > 0 and high < far_step and int(raw[-1]) + ahead < LATEST:
            return raw + ahead, None
        steps = np.concatenate([[first], steps])
        if self.wrap is not None:
            far = np.flatnonzero((steps < -(self.wrap // 2)) | (steps >= self.wrap // 2))
            steps[far] = (steps[far] + self.wrap // 2) % self.wrap - self.wrap // 2
        flags = self._judge(steps)
        if fresh:
            flags[0] = 0
        return self._sum(steps), flags

    def _sum(self, steps: Ints) -> Ints:
        """Running values after these steps, held within `LATEST` where they would leave it."""
        if abs(self._value) + float(np.abs(steps).sum(dtype=np.float64)) < LATEST:
            return np.cumsum(steps) + self._value
        value, values = self._value, []
        for step in steps.tolist():
            value = min(max(value + step, -LATEST), LATEST)
            values.append(value)
        return np.array(values, np.int64)

    @abstractmethod
    def _judge(self, steps: Ints) -> Flags:
        """Flags of these steps (the shorter way round the wrap); steps that cannot be true are replaced."""


class Clock(_Unwrapper):
    """Unwraps a NIC's clock, in ns, across buffers.

    A step forward is taken modulo the wrap, so a pause of more than half of it reads as a reset, and so does
    one of more than `LONGEST_PAUSE_NS`. Flags: CLOCK_RESET, CLOCK_STUCK.
    """

    __slots__ = ()

    def _judge(self, steps: Ints) -> Flags:
        reset = (steps < -OUT_OF_ORDER_NS) | (steps > LONGEST_PAUSE_NS)
        flags = np.where(steps == 0, np.uint32(FrameFlag.CLOCK_STUCK), np.uint32(0))
        flags[reset] = FrameFlag.CLOCK_RESET
        if not self.as_recorded:
            steps[reset] = AFTER_RESET_NS
        return flags


@dataclass(slots=True)
class Counter(_Unwrapper):
    """Unwraps a NIC's frame counter across buffers; all `NO_SEQUENCE` if the NIC counts nothing (wrap None).

    A counter that stepped back goes on one after the frame before. Flags: SEQUENCE_RESET, and with `repeats`
    SEQUENCE_REPEATED (not where several records make a frame: their parser knows which of them are one). A
    step back of up to `late` is a frame that came late, and neither flagged nor changed.
    """

    repeats: bool = False
    late: int = 0

    def unwrap(self, raw: Ints) -> tuple[Ints, Flags | None]:
        """As for any unwrapper."""
        if self.wrap is None:
            return np.full(len(raw), NO_SEQUENCE, np.int64), None
        counted = raw != NO_SEQUENCE
        if counted.all():
            return _Unwrapper.unwrap(self, raw)  # a dataclass with slots is another class than super() means
        values = np.array(raw, np.int64)
        values[counted], some = _Unwrapper.unwrap(self, values[counted])
        if some is None:
            return values, None
        flags = np.zeros(len(raw), np.uint32)
        flags[counted] = some
        return values, flags

    def _judge(self, steps: Ints) -> Flags:
        back = steps < -self.late
        flags = np.where(back, np.uint32(FrameFlag.SEQUENCE_RESET), np.uint32(0))
        if self.repeats:
            flags[steps == 0] = FrameFlag.SEQUENCE_REPEATED
        if not self.as_recorded:
            steps[back] = 1
        return flags
