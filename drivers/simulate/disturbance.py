"""Slow changes of a still room: paths that drift with temperature and humidity."""

from dataclasses import dataclass

import numpy as np

from drivers.simulate.room import Floats
from drivers.simulate.waves import Complex


@dataclass(frozen=True, slots=True, eq=False)
class Drift:
    """Each first-order path turns slowly to and fro.

    Attributes:
        depth_rad: amplitude of the phase drift.
        period_s: of each path ``[image]``.
        phase: where each path starts, in turns ``[image]``.
    """

    depth_rad: float
    period_s: Floats
    phase: Floats

    @classmethod
    def random(cls, rng: np.random.Generator, paths: int, depth_rad: float) -> "Drift":
        """Drift with periods of two to ten minutes."""
        return cls(depth_rad, rng.uniform(120, 600, paths), rng.random(paths))

    def at(self, times: Floats) -> Complex:
        """Factor of each path ``[time, image]``."""
        angle = self.depth_rad * np.sin(2 * np.pi * (times[:, None] / self.period_s + self.phase))
        return np.asarray(np.exp(1j * angle), np.complex64)
