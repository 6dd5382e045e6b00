"""Motion in stretches: when somebody walks through, from a stream of values, the same online and offline."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of motion, from the first value above the upper threshold to the last above the lower."""

    start_s: float
    end_s: float


class Segmenter:
    """Hysteresis over a stream of values in order of time.

    A stretch begins above `on`, goes on above `off`, and is over once the values have stayed below for
    `gap_s`; those shorter than `least_s` are none. State is a handful of numbers.
    """

    def __init__(self, on: float, off: float, *, gap_s: float = 1.0, least_s: float = 0.5) -> None:
        if off > on:
            raise ValueError(f"a stretch would end ({off}) before it begins ({on})")
        self._on, self._off, self._gap_s, self._least_s = on, off, gap_s, least_s
        self._start_s: float | None = None
        self._last_s = 0.0

    def push(self, time_s: float, value: float) -> list[Segment]:
        """Take the next value; the stretch that is over now, if one is."""
        if self._start_s is None:
            if value > self._on:
                self._start_s = self._last_s = time_s
            return []
        over = self._closed() if time_s - self._last_s > self._gap_s else []
        if over or self._start_s is None:
            return over + self.push(time_s, value)
        if value > self._off:
            self._last_s = time_s
        return []

    def finish(self) -> list[Segment]:
        """The stretch that the end of the stream cuts off, if there is one."""
        return [] if self._start_s is None else self._closed()

    def _closed(self) -> list[Segment]:
        start_s, self._start_s = self._start_s, None
        if start_s is None or self._last_s - start_s < self._least_s:
            return []
        return [Segment(start_s, self._last_s)]
