"""Antenna arrays in a room."""

from dataclasses import dataclass

import numpy as np

from drivers.simulate.room import Floats


@dataclass(frozen=True, slots=True)
class Array:
    """A few antennas close together (isotropic).

    `positions_m` holds x, y, z of each antenna in metres.
    """

    positions_m: tuple[tuple[float, float, float], ...]

    @property
    def points(self) -> Floats:
        """Positions ``[antenna, 3]``, metres."""
        return np.asarray(self.positions_m, np.float64)

    @property
    def centre(self) -> Floats:
        """Middle of the array ``[3]``, metres."""
        middle: Floats = self.points.mean(axis=0)
        return middle


def linear_array(centre: tuple[float, float, float], count: int, spacing_m: float, heading: float) -> Array:
    """`count` antennas on a level line through `centre`; `heading` in radians from the x axis."""
    steps = (np.arange(count) - (count - 1) / 2) * spacing_m
    line = np.stack([np.cos(heading) * steps, np.sin(heading) * steps, np.zeros(count)], axis=1)
    points = np.asarray(centre) + line
    return Array(tuple((float(x), float(y), float(z)) for x, y, z in points))
