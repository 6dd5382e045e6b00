"""People as a few scattering points each, walking, standing, breathing; and a fan, which is nobody."""

from dataclasses import dataclass

import numpy as np

from drivers.simulate.carried import Carried
from drivers.simulate.path import Behaviour, Path, smooth_noise
from drivers.simulate.posture import UPRIGHT_HEIGHT
from drivers.simulate.room import Floats

POINTS = 5
"""Scattering points a body has: chest, two arms, two legs."""

_SHARE = np.array([0.5, 0.1, 0.1, 0.15, 0.15])  # of the radar cross section, in the order of POINTS
SIDE_M = np.array([0.0, 0.28, -0.28, 0.12, -0.12])
"""How far each point is to the left of the body's middle, metres."""
_SWING = np.array([0.0, 0.5, -0.5, -0.7, 0.7])  # of the step length, arms against legs
_FADE_S = 0.8  # the time it takes to pass the door


@dataclass(frozen=True, slots=True, eq=False)
class Body:
    """One person at the times asked for.

    Attributes:
        points: scattering points ``[time, POINTS, 3]``, metres.
        torso: middle of the body ``[time, 3]``, metres.
        presence: 0 outside, 1 inside, between while passing the door ``[time]``.
        strength: square root of each point's radar cross section ``[POINTS]``, metres.
        heading: where the body faces, radians from the x axis ``[time]``; None for what has no face.
        top: highest point ``[time]``, metres; None for a body that stands taller than every path.
    """

    points: Floats
    torso: Floats
    presence: Floats
    strength: Floats
    heading: Floats | None = None
    top: Floats | None = None


class Person:
    """Somebody who is in the room from `way.enter_s` to `way.leave_s`.

    Args:
        way: where the person goes.
        rng: numbers that fix build, gait and breath.
        cross_section_m2: radar cross section of the whole body.
        height_m: body height.
        breath_hz: breaths a second.
        breath_m: how far the chest moves to either side of its rest.
        carried: what the person has on them, if anything.
    """

    def __init__(
        self,
        way: Path,
        rng: np.random.Generator,
        *,
        cross_section_m2: float = 0.8,
        height_m: float = 1.72,
        breath_hz: float = 0.25,
        breath_m: float = 0.005,
        carried: Carried | None = None,
    ) -> None:
        self.way = way
        self.height_m = height_m
        self.breath_hz, self.breath_m = breath_hz, breath_m
        self.carried = carried
        self.strength: Floats = np.sqrt(_SHARE * cross_section_m2)
        self._breath_phase = float(rng.random())
        self._facing = float(rng.uniform(-np.pi, np.pi))
        self._step_hz = float(rng.uniform(0.8, 1.1))
        self._sway = rng.random((6, 2))
        self._gesture = rng.random((6, 3 * POINTS))

    @property
    def behaviour(self) -> Behaviour:
        """How this person moves."""
        return self.way.behaviour

    def at(self, times: Floats) -> Body:
        """The body at `times`, seconds, rising."""
        floor, velocity = self.way.at(times)
        pace = np.hypot(velocity[:, 0], velocity[:, 1])
        floor = floor + self.behaviour.sway_m / 2 * smooth_noise(times, self._sway, 4.0)
        heading = self._heading(velocity, pace)
        points = np.empty((len(times), POINTS, 3))
        ahead = np.stack([np.cos(heading), np.sin(heading)], axis=-1)
        across = np.stack([-ahead[:, 1], ahead[:, 0]], axis=-1)
        forward = self._forward(times, pace)
        points[..., :2] = (
            floor[:, None] + forward[..., None] * ahead[:, None] + SIDE_M[:, None] * across[:, None]
        )
        points[..., 2] = UPRIGHT_HEIGHT * self.height_m
        points[:, 1:3] += self._gestures(times)[:, 1:3] * self.behaviour.gesture_m
        torso = np.concatenate([floor, np.full((len(times), 1), 0.6 * self.height_m)], axis=1)
        return Body(points, torso, self.presence(times), self.strength, heading)

    def presence(self, times: Floats) -> Floats:
        """0 outside, 1 inside, ``[time]``."""
        since, left = times - self.way.enter_s, self.way.leave_s - times
        opened = 1.0 if self.way.enter_s <= 0 else np.clip(since / _FADE_S, 0, 1)
        inside: Floats = np.minimum(opened, np.clip(left / _FADE_S, 0, 1)) * (since >= 0)
        return inside

    def _heading(self, velocity: Floats, pace: Floats) -> Floats:
        """Direction of walk; whoever stands faces where the body likes to face."""
        share = np.clip(pace / 0.3, 0, 1)
        east = share * velocity[:, 0] / np.maximum(pace, 1e-6) + (1 - share) * np.cos(self._facing)
        north = share * velocity[:, 1] / np.maximum(pace, 1e-6) + (1 - share) * np.sin(self._facing)
        return np.asarray(np.arctan2(north, east), np.float64)

    def _forward(self, times: Floats, pace: Floats) -> Floats:
        """How far each point is ahead of the body's middle: breath and gait, ``[time, POINTS]``."""
        ahead = self._gait(times, pace)
        breath = np.sin(2 * np.pi * (self.breath_hz * times + self._breath_phase))
        ahead[:, 0] += 0.1 + self.breath_m * breath
        return ahead

    def _gait(self, times: Floats, pace: Floats) -> Floats:
        """How far arms and legs swing ahead at this pace, ``[time, POINTS]``."""
        step = np.sin(2 * np.pi * self._step_hz * times)
        return np.asarray(np.outer(np.clip(pace, 0, 1.2) * step, 0.45 * _SWING), np.float64)

    def _gestures(self, times: Floats) -> Floats:
        """Unit smooth movement of every point, ``[time, POINTS, 3]``."""
        return smooth_noise(times, self._gesture, 1.6).reshape(len(times), POINTS, 3)


@dataclass(frozen=True, slots=True)
class Fan:
    """A small scatterer on a circle: it moves for ever and is nobody.

    `turn_hz` is slow enough to be sampled (a blade of a ceiling fan, a curtain in the draught).
    """

    place: tuple[float, float, float]
    radius_m: float = 0.12
    turn_hz: float = 2.0
    cross_section_m2: float = 0.004

    def at(self, times: Floats) -> Body:
        """The scatterer at `times`, as a body of two points that blocks nothing."""
        angle = 2 * np.pi * self.turn_hz * times[:, None] + np.array([0.0, np.pi])
        offset = np.stack([np.cos(angle), np.sin(angle), np.zeros_like(angle)], axis=-1) * self.radius_m
        strength = np.full(2, np.sqrt(self.cross_section_m2 / 2))
        points = np.asarray(self.place) + offset
        return Body(points, points.mean(axis=1), np.ones(len(times)), strength)
