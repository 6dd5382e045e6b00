"""Lower envelope of delays: the straight line under all (time, host time less time) that fits them best.

What a reader sees of a clock is late by a queue's mood, never early; so the truth is the line below all
points. Of the lines that touch the points' lower hull, the edge over their mean time lies closest under them
all (Moon, Skelly and Towsley, "Estimation and removal of clock skew from network delay measurements", 1999).
"""

from collections import deque
from itertools import pairwise

SEGMENT_NS = 10_000_000_000
SEGMENTS = 60
"""The least delay of each 10 s is kept, for 10 minutes: drift follows the card's temperature, slowly."""
KNOWN_AFTER_NS = 60_000_000_000
"""Over a shorter span a slope says more about the queue than about the clock."""

Point = tuple[int, int]


class Envelope:
    """Line through the least delays; all in ns, kept as whole numbers (Unix times do not fit a float)."""

    def __init__(self) -> None:
        self._points: deque[Point] = deque(maxlen=SEGMENTS)
        self._segment = 0
        self._at: Point = (0, 0)
        self._slope = 0.0

    @property
    def slope(self) -> float | None:
        """Change of the delay per unit of time; None before it is known."""
        known = len(self._points) > 1 and self._points[-1][0] - self._points[0][0] >= KNOWN_AFTER_NS
        return self._slope if known else None

    def at(self, time_ns: int) -> int:
        """Least delay at this time."""
        return self._at[1] + round(self._slope * (time_ns - self._at[0]))

    def restart(self, time_ns: int, delay_ns: int) -> None:
        """Forget everything but this point."""
        self._points.clear()
        self._segment = time_ns // SEGMENT_NS
        self._points.append((time_ns, delay_ns))
        self._fit()

    def add(self, time_ns: int, delay_ns: int) -> None:
        """Take in a delay seen at this time; each time later than the ones before."""
        segment = time_ns // SEGMENT_NS
        if segment > self._segment:
            self._segment = segment
            self._points.append((time_ns, delay_ns))
        elif delay_ns >= self._points[-1][1] and delay_ns >= self.at(time_ns):
            return
        elif delay_ns < self._points[-1][1]:
            self._points[-1] = (time_ns, delay_ns)
        self._fit()

    def _fit(self) -> None:
        first, last = self._points[0], self._points[-1]
        if last[0] - first[0] < KNOWN_AFTER_NS:
            self._at, self._slope = min(self._points, key=lambda point: point[1]), 0.0
            return
        middle = sum(time for time, _ in self._points) / len(self._points)
        hull = _lower_hull(list(self._points))
        left, right = next(pair for pair in pairwise(hull) if pair[1][0] >= middle)
        self._at, self._slope = left, (right[1] - left[1]) / (right[0] - left[0])


def _lower_hull(points: list[Point]) -> list[Point]:
    """Corners of the convex hull's lower side, times rising (Andrew's monotone chain)."""
    hull: list[Point] = []
    for point in points:
        while len(hull) > 1 and _turns_down(hull[-2], hull[-1], point):
            hull.pop()
        hull.append(point)
    return hull


def _turns_down(one: Point, two: Point, three: Point) -> bool:
    """Whether `two` lies on or above the line from `one` to `three`."""
    return (two[1] - one[1]) * (three[0] - one[0]) >= (three[1] - one[1]) * (two[0] - one[0])
