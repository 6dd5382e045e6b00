"""Smooth random ways through a room, made as far as they are asked for."""

from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

from drivers.simulate.room import Floats

_MARGIN_M = 0.35  # people keep this far from walls
_STEP_S = (0.7, 1.6)  # time between two knots of a way


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How somebody moves.

    Attributes:
        speed_mps: slowest and fastest pace of a walk.
        rest: chance, at each knot, to stop for a while.
        rest_s: shortest and longest stop.
        sway_m: how far a standing body sways.
        gesture_m: how far the arms move while standing.
    """

    speed_mps: tuple[float, float] = (0.3, 1.0)
    rest: float = 0.15
    rest_s: tuple[float, float] = (0.5, 3.0)
    sway_m: float = 0.012
    gesture_m: float = 0.05


WALKING = Behaviour()
STROLLING = Behaviour(speed_mps=(0.05, 0.5), rest=0.35, rest_s=(0.5, 4.0))
STANDING = Behaviour(speed_mps=(0.1, 0.4), rest=0.92, rest_s=(4.0, 15.0))
STILL = Behaviour(speed_mps=(0.0, 0.0), rest=1.0, rest_s=(3600.0, 3600.0), sway_m=0.001, gesture_m=0.0)


class Path(Protocol):
    """Where somebody is on the floor, from `enter_s` to `leave_s`, and the manner in which they go."""

    @property
    def behaviour(self) -> Behaviour:
        """How somebody on it moves."""
        ...

    @property
    def enter_s(self) -> float:
        """When somebody on it comes in, seconds."""
        ...

    @property
    def leave_s(self) -> float:
        """When somebody on it goes out, seconds."""
        ...

    def at(self, times: Floats) -> tuple[Floats, Floats]:
        """Place ``[time, 2]`` in metres and velocity ``[time, 2]`` in m/s at rising `times` (seconds)."""
        ...


@dataclass(slots=True)
class Way:
    """Where somebody is on the floor, as a cubic Hermite curve through random knots.

    The curve depends only on the seed, never on the times it was asked at, so a simulation is the same
    in chunks of any size. Until `leave_s` it wanders; then it has reached the door.
    """

    size_m: tuple[float, float]
    behaviour: Behaviour
    rng: np.random.Generator
    start: tuple[float, float]
    door: tuple[float, float]
    enter_s: float
    leave_s: float
    _time: list[float] = field(default_factory=list)
    _place: list[tuple[float, float]] = field(default_factory=list)
    _velocity: list[tuple[float, float]] = field(default_factory=list)
    _heading: float = 0.0

    def __post_init__(self) -> None:
        self._time, self._place, self._velocity = [self.enter_s], [self.start], [(0.0, 0.0)]
        self._heading = float(self.rng.uniform(-np.pi, np.pi))

    def at(self, times: Floats) -> tuple[Floats, Floats]:
        """Place ``[time, 2]`` in metres and velocity ``[time, 2]`` in m/s at `times` (seconds)."""
        while self._time[-1] <= times[-1]:
            self._extend()
        knots = np.asarray(self._time)
        left = np.clip(np.searchsorted(knots, times, side="right") - 1, 0, len(knots) - 2)
        span = (knots[left + 1] - knots[left])[:, None]
        u = np.clip((times - knots[left])[:, None] / span, 0, 1)
        place, velocity = np.asarray(self._place), np.asarray(self._velocity)
        ends = (left, left + 1)
        return _hermite(u, span, [place[end] for end in ends], [velocity[end] for end in ends])

    def _extend(self) -> None:
        """Add the next knot: on, or rest, or to the door when it is time."""
        now, here = self._time[-1], self._place[-1]
        pace = float(self.rng.uniform(*self.behaviour.speed_mps))
        step = float(self.rng.uniform(*_STEP_S))
        to_door = np.subtract(self.door, here)
        need = float(np.hypot(*to_door)) / max(self.behaviour.speed_mps[1], 0.8) * 1.5
        if self.behaviour.speed_mps[1] > 0 and now + need + step >= self.leave_s:
            self._append(max(self.leave_s, now + 0.2), self.door, (0.0, 0.0))
            self._append(self._time[-1] + 3600.0, self.door, (0.0, 0.0))
        elif self.rng.random() < self.behaviour.rest:
            if self._velocity[-1] != (0.0, 0.0):
                self._stop(now, here)
            rest = float(self.rng.uniform(*self.behaviour.rest_s))
            limit = max(self.leave_s - need - self._time[-1], 0.3)
            self._append(self._time[-1] + min(rest, limit), self._place[-1], (0.0, 0.0))
        else:
            self._walk_on(now + step, here, pace, step)

    def _walk_on(self, until: float, here: tuple[float, float], pace: float, step: float) -> None:
        """Go on about where the last step went, turned inwards where a wall comes near."""
        for spread in (0.6, 1.2, 2.5):
            heading = self._heading + float(self.rng.normal(0, spread))
            target = (here[0] + pace * step * np.cos(heading), here[1] + pace * step * np.sin(heading))
            if self._inside(target):
                break
        target = self._clipped(target)
        moved = np.subtract(target, here)
        self._heading = float(np.arctan2(moved[1], moved[0]))
        self._append(until, target, (float(moved[0] / step), float(moved[1] / step)))

    def _stop(self, now: float, here: tuple[float, float]) -> None:
        """Come to rest within half a second."""
        velocity = self._velocity[-1]
        self._append(
            now + 0.5, self._clipped((here[0] + velocity[0] * 0.2, here[1] + velocity[1] * 0.2)), (0.0, 0.0)
        )

    def _append(self, time: float, place: tuple[float, float], velocity: tuple[float, float]) -> None:
        self._time.append(time)
        self._place.append(place)
        self._velocity.append(velocity)

    def _inside(self, place: tuple[float, float]) -> bool:
        return self._clipped(place) == place

    def _clipped(self, place: tuple[float, float]) -> tuple[float, float]:
        margin = [min(_MARGIN_M, size / 4) for size in self.size_m]
        x, y = (
            float(np.clip(at, edge, size - edge))
            for at, edge, size in zip(place, margin, self.size_m, strict=True)
        )
        return x, y


def _hermite(u: Floats, span: Floats, place: list[Floats], velocity: list[Floats]) -> tuple[Floats, Floats]:
    """Cubic Hermite curve between two knots, and its derivative; `u` in 0..1 over `span` seconds."""
    (p0, p1), (v0, v1) = place, velocity
    curve = (
        (2 * u**3 - 3 * u**2 + 1) * p0
        + (u**3 - 2 * u**2 + u) * span * v0
        + (3 * u**2 - 2 * u**3) * p1
        + (u**3 - u**2) * span * v1
    )
    slope = (6 * u**2 - 6 * u) * (p0 - p1) / span + (3 * u**2 - 4 * u + 1) * v0 + (3 * u**2 - 2 * u) * v1
    return curve, slope


def smooth_noise(times: Floats, rng_seed: npt.NDArray[np.float64], period_s: float) -> Floats:
    """Unit-variance smooth noise ``[time, series]``: three sines a series near `period_s`.

    `rng_seed` holds numbers 0..1, ``[6, series]``, that fix frequencies and phases.
    """
    total = np.zeros((len(times), rng_seed.shape[1]))
    for k in range(3):
        frequency = (0.5 + rng_seed[k] + 0.7 * k) / period_s
        total += np.sin(2 * np.pi * (times[:, None] * frequency + rng_seed[3 + k]))
    return np.asarray(total * np.sqrt(2 / 3), np.float64)
