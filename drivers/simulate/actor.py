"""A person who follows a script: walks, sits down, falls, lies, waves, and breathes all the while."""

import numpy as np

from drivers.simulate.activity import MANNERS, Activity
from drivers.simulate.carried import Carried
from drivers.simulate.envelope import Envelope
from drivers.simulate.path import Path, smooth_noise
from drivers.simulate.people import POINTS, SIDE_M, Body, Person
from drivers.simulate.posture import Pose, changes, pose
from drivers.simulate.room import Floats
from drivers.simulate.script import Script
from drivers.simulate.turning import Turning

_EDGE_M = 0.05  # no point of a body comes closer to a wall
_RAISED = 0.92  # height of a waving hand, of the body height
_RAISE_S = 0.4
_UNEVEN_S, _UNEVEN = 20.0, 0.02  # breaths come up to this share of one early or late


class Actor(Person):
    """One stay of a person in a room.

    Args:
        way: where the person goes.
        script: what they do, without an absence in it.
        rng: numbers that fix build, gait, breath and the times that changes of posture take.
        size_m: width and depth of the room, in which every fall ends.
        cross_section_m2: radar cross section of the whole body.
        height_m: body height.
        breath_hz: breaths a second, on average.
        breath_m: how far the chest moves to either side of its rest.
        carried: what the person has on them, if anything.
        faces_rad: where they face when they stand; None for anywhere.
    """

    def __init__(
        self,
        way: Path,
        script: Script,
        rng: np.random.Generator,
        *,
        size_m: tuple[float, float],
        cross_section_m2: float,
        height_m: float,
        breath_hz: float,
        breath_m: float,
        carried: Carried | None = None,
        faces_rad: float | None = None,
    ) -> None:
        super().__init__(
            way,
            rng,
            cross_section_m2=cross_section_m2,
            height_m=height_m,
            breath_hz=breath_hz,
            breath_m=breath_m,
            carried=carried,
        )
        if faces_rad is not None:
            self._facing = faces_rad
        self._size = np.asarray(size_m)
        manners = [MANNERS[act.activity] for act in script.acts]
        self._changes, self._first = changes(script.acts, rng), manners[0].before[0]
        self._sway_m, self._gesture_m, self._wave_m = (
            Envelope(script.acts, [getattr(manner, name) for manner in manners], ramp_s=_RAISE_S)
            for name in ("sway_m", "gesture_m", "wave_m")
        )
        self._wave_hz, self._falls = float(rng.uniform(0.8, 1.8)), float(rng.normal(0, 0.5))
        self._uneven = rng.random((6, 1))
        self._turning = Turning(self._wanted, way.enter_s)

    def at(self, times: Floats) -> Body:
        """As `Person.at`."""
        floor, velocity = self.way.at(times)
        pace = np.hypot(velocity[:, 0], velocity[:, 1])
        heading = self._turning.at(times)
        held = pose(times, self._first, self._changes, self.height_m)
        feet = floor + self._sway_m.at(times)[:, None] / 2 * smooth_noise(times, self._sway, 4.0)
        ahead = np.stack([np.cos(heading), np.sin(heading)], axis=-1)
        down = self._downwards(floor)
        points = self._points(feet, ahead, down, held)
        self._move(times, points, ahead, held, pace)
        points[..., :2] = np.clip(points[..., :2], _EDGE_M, self._size - _EDGE_M)
        middle = np.clip(feet + held.torso[:, 1:] * down, _EDGE_M, self._size - _EDGE_M)
        torso = np.concatenate([middle, held.torso[:, :1]], axis=1)
        return Body(points, torso, self.presence(times), self.strength, heading, held.top_m)

    def _wanted(self, times: Floats) -> Floats:
        """Where the person would like to face: ahead on the way, or where they like to stand."""
        _, velocity = self.way.at(times)
        return self._heading(velocity, np.hypot(velocity[:, 0], velocity[:, 1]))

    def _points(self, feet: Floats, ahead: Floats, down: Floats, held: Pose) -> Floats:
        """All points ``[time, POINTS, 3]`` of the posture alone; `down` is where the body would fall."""
        points = np.empty((len(feet), POINTS, 3))
        points[..., :2] = feet[:, None] + SIDE_M[:, None] * _left(ahead)[:, None]
        points[..., :2] += held.ahead_m[..., None] * ahead[:, None] + held.along_m[..., None] * down[:, None]
        points[..., 2] = held.height_m
        return points

    def _move(self, times: Floats, points: Floats, ahead: Floats, held: Pose, pace: Floats) -> None:
        """Move the points of a posture: gait, breath, gestures, a waving arm."""
        points[..., :2] += self._gait(times, pace)[..., None] * ahead[:, None]
        breath, lean = self._breath(times), held.lean * np.pi / 2
        points[:, 0, :2] += ((0.1 + breath) * np.cos(lean))[:, None] * ahead
        points[:, 0, 2] += breath * np.sin(lean)
        points[:, 1:3] += self._gestures(times)[:, 1:3] * self._gesture_m.at(times)[:, None, None]
        self._wave(times, points, _left(ahead))

    def _breath(self, times: Floats) -> Floats:
        """How far the chest is out ``[time]``: quicker in than out, never quite even."""
        turns = self.breath_hz * times + self._breath_phase
        turns = turns + _UNEVEN * smooth_noise(times, self._uneven, _UNEVEN_S)[:, 0]
        phase = 2 * np.pi * turns
        return np.asarray(self.breath_m * np.sin(phase + 0.25 * np.sin(phase)), np.float64)

    def _wave(self, times: Floats, points: Floats, left: Floats) -> None:
        """Raise one hand and swing it to either side, where the script says so."""
        swing = self._wave_m.at(times)
        raised = np.clip(swing / MANNERS[Activity.WAVING].wave_m, 0, 1)
        points[:, 1, 2] += raised * (_RAISED * self.height_m - points[:, 1, 2])
        aside = swing * np.sin(2 * np.pi * self._wave_hz * times)
        points[:, 1, :2] += aside[:, None] * left

    def _downwards(self, floor: Floats) -> Floats:
        """Direction in which a body would fall from each place ``[time, 2]``: into the room, more or less."""
        inwards = self._size / 2 - floor
        angle = np.arctan2(inwards[:, 1], inwards[:, 0]) + self._falls
        return np.stack([np.cos(angle), np.sin(angle)], axis=-1)


def _left(ahead: Floats) -> Floats:
    """Direction to the left of these ``[time, 2]``."""
    return np.stack([-ahead[:, 1], ahead[:, 0]], axis=-1)
