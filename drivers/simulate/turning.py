"""Where a body faces, when it cannot turn as fast as its way does."""

from collections.abc import Callable

import numpy as np

from drivers.simulate.room import Floats

_GRID_S = 0.05
_BATCH = 64
_RATE = 3.5  # radians a second, a brisk turn on the spot


class Turning:
    """Follows a wanted heading at no more than a body's turn rate.

    It is worked out on a grid of times from `start_s` on, so it does not depend on when it is asked for.

    Args:
        wanted: heading in radians ``[time]`` at rising times in seconds.
        start_s: where the grid begins.
    """

    def __init__(self, wanted: Callable[[Floats], Floats], start_s: float) -> None:
        self._wanted, self._start_s = wanted, start_s
        self._headings: list[float] = []

    def at(self, times: Floats) -> Floats:
        """Heading at these rising times ``[time]``, radians, without jumps."""
        place = np.clip((times - self._start_s) / _GRID_S, 0, None)
        while len(self._headings) < place[-1] + 2:
            self._extend()
        first = int(place[0])
        known = np.asarray(self._headings[first : int(place[-1]) + 2])
        return np.asarray(np.interp(place - first, np.arange(len(known)), known), np.float64)

    def _extend(self) -> None:
        """The next batch of the grid."""
        begin = len(self._headings)
        grid = np.asarray(self._start_s + _GRID_S * np.arange(begin, begin + _BATCH), np.float64)
        most = _RATE * _GRID_S
        for wanted in self._wanted(grid).tolist():
            now = self._headings[-1] if self._headings else wanted
            turn = (wanted - now + np.pi) % (2 * np.pi) - np.pi
            self._headings.append(now + min(max(turn, -most), most))
