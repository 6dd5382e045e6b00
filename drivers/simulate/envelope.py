"""Quantities that follow a script: constant within an act, with a ramp inside the livelier of two acts."""

from collections.abc import Sequence

import numpy as np

from drivers.simulate.room import Floats
from drivers.simulate.script import Act


class Envelope:
    """One number per act, joined by straight ramps.

    A ramp lies inside the act with the greater number, so that a still act is still from end to end.

    Args:
        acts: one after the other without a gap.
        values: number of each act.
        ramp_s: length of a ramp; at most half an act.
    """

    def __init__(self, acts: Sequence[Act], values: Sequence[float], *, ramp_s: float) -> None:
        times, heights = [acts[0].from_s], [values[0]]
        for k in range(1, len(acts)):
            now, rises = acts[k].from_s, values[k] > values[k - 1]
            inside = acts[k] if rises else acts[k - 1]
            ramp = min(ramp_s, (inside.to_s - inside.from_s) / 2)
            times += [now, now + ramp] if rises else [now - ramp, now]
            heights += [values[k - 1], values[k]]
        self._times = np.asarray([*times, acts[-1].to_s])
        self._heights = np.asarray([*heights, values[-1]])
        mean = (self._heights[1:] + self._heights[:-1]) / 2
        self._sums = np.concatenate([[0.0], np.cumsum(mean * np.diff(self._times))])

    def at(self, times: Floats) -> Floats:
        """Value at these times (seconds); before and after the script that of its ends."""
        return np.asarray(np.interp(times, self._times, self._heights), np.float64)

    def integral(self, times: Floats) -> Floats:
        """Area under the envelope from its start to these times, 0 before it."""
        within = np.clip(times, self._times[0], self._times[-1])
        left = np.clip(np.searchsorted(self._times, within, side="right") - 1, 0, len(self._times) - 2)
        since = within - self._times[left]
        mean = (self._heights[left] + self.at(within)) / 2
        beyond = np.maximum(times - self._times[-1], 0) * self._heights[-1]
        return np.asarray(self._sums[left] + mean * since + beyond, np.float64)

    @property
    def total(self) -> float:
        """Area under the whole script."""
        return float(self._sums[-1])
