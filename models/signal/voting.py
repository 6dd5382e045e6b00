"""Soft majority: one answer for a stretch from the probabilities of its windows (after Zhou et al., #12)."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

MIDDLE = 0.5
"""Share of a stretch, about its middle, whose windows are heard: there the walker is between the antennas."""

Floats = npt.NDArray[np.float64]


def vote(times_s: Sequence[float], probabilities: Floats, start_s: float, end_s: float) -> Floats | None:
    """Mean probabilities ``[class]`` of the windows whose middle lies in the middle of [start, end].

    Where none does, the nearest window speaks alone; None without any window.

    Args:
        times_s: middle of each window.
        probabilities: ``[window, class]``.
        start_s: of the stretch.
        end_s: of it.
    """
    if not len(times_s):
        return None
    centre, reach = (start_s + end_s) / 2, MIDDLE * (end_s - start_s) / 2
    away = np.abs(np.asarray(times_s, np.float64) - centre)
    heard = away <= reach + 1e-9
    if not heard.any():
        heard = away == away.min()
    return np.asarray(probabilities[heard].mean(axis=0), np.float64)


class Voter:
    """The same as a stream: windows are kept until the stretch they belong to is over, a bounded number."""

    def __init__(self, most: int = 120) -> None:
        self._most = most
        self._times: list[float] = []
        self._rows: list[Floats] = []

    def push(self, time_s: float, probabilities: Floats) -> None:
        """Take what one window said."""
        self._times.append(time_s)
        self._rows.append(np.asarray(probabilities, np.float64))
        del self._times[: -self._most], self._rows[: -self._most]

    def close(self, start_s: float, end_s: float) -> Floats | None:
        """The answer for a stretch that is over; windows before its end are forgotten."""
        answer = vote(self._times, np.array(self._rows), start_s, end_s) if self._times else None
        kept = [n for n, time in enumerate(self._times) if time > end_s]
        self._times, self._rows = [self._times[n] for n in kept], [self._rows[n] for n in kept]
        return answer
