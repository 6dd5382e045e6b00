"""Ways of people who follow a script: a wander that halts, and a straight crossing."""

from collections.abc import Sequence

import numpy as np

from drivers.simulate.activity import MANNERS
from drivers.simulate.envelope import Envelope
from drivers.simulate.path import STILL, Behaviour, Way, smooth_noise
from drivers.simulate.room import Floats
from drivers.simulate.script import Act

_HALT_S = 0.6  # from walking to standing and back
_BRISK = Behaviour(speed_mps=(0.8, 1.3), rest=0.0)
_ROAM_S = 7.0
_UNEVEN_M = 0.04  # how uneven a straight walk is


class HaltingWay:
    """A wander through the room along which somebody goes on only while the script has them walk.

    The way has a clock of its own, which runs at the pace of the act; so place and speed are smooth, and do
    not depend on the times at which they are asked for.

    Args:
        acts: one stay.
        size_m: width and depth of the room.
        start: where the stay begins.
        door: where it ends, if it ends: the last walk bends towards it.
        leave_s: when it ends; infinite for somebody who stays.
        rng: of the way.
        roam_m: how far somebody shifts about the place where they stand.
    """

    def __init__(
        self,
        acts: Sequence[Act],
        *,
        size_m: tuple[float, float],
        start: tuple[float, float],
        door: tuple[float, float],
        leave_s: float,
        rng: np.random.Generator,
        roam_m: float = 0.0,
    ) -> None:
        self.behaviour: Behaviour = STILL
        self.enter_s, self.leave_s = acts[0].from_s, leave_s
        paces = [MANNERS[act.activity].pace for act in acts]
        self._clock = Envelope(acts, paces, ramp_s=_HALT_S)
        self._way = Way(size_m, _BRISK, rng, start, door, 0.0, float("inf"))
        self._door, self._total = np.asarray(door), self._clock.total
        still = [act.to_s for act in acts if MANNERS[act.activity].pace == 0]
        self._last = float(self._clock.integral(np.asarray([still[-1] if still else self.enter_s]))[0])
        self._roam_m, self._roam = roam_m, rng.random((6, 2))
        self._size = np.asarray(size_m)

    def at(self, times: Floats) -> tuple[Floats, Floats]:
        """As `Path.at`."""
        clock = self._clock.integral(times)
        place, velocity = self._way.at(clock)
        if np.isfinite(self.leave_s):
            place, velocity = self._bent(clock, place, velocity)
        if self._roam_m:
            place = place + self._roam_m / 2 * smooth_noise(times, self._roam, _ROAM_S)
            place = np.clip(place, 0.1, self._size - 0.1)
        return place, velocity * self._clock.at(times)[:, None]

    def _bent(self, clock: Floats, place: Floats, velocity: Floats) -> tuple[Floats, Floats]:
        """Place and velocity on the own clock, drawn to the door over the last walk."""
        span = self._total - self._last
        done = np.clip((clock - self._last) / span, 0, 1)[:, None]
        share, slope = done**2 * (3 - 2 * done), 6 * done * (1 - done) / span
        bent = place + share * (self._door - place)
        return bent, (1 - share) * velocity + slope * (self._door - place)


class Tour:
    """Straight walks from stop to stop, a little uneven in pace and line, one for each walk of the script.

    Args:
        acts: one stay.
        stops: places in order, x and y in metres: one more than there are walks in the script.
        leave_s: when it ends; infinite for somebody who stays.
        rng: of the unevenness.
        roam_m: how far somebody shifts about the place where they stand.
    """

    def __init__(
        self,
        acts: Sequence[Act],
        stops: Sequence[tuple[float, float]],
        *,
        leave_s: float,
        rng: np.random.Generator,
        roam_m: float = 0.0,
    ) -> None:
        self.behaviour: Behaviour = STILL
        self.enter_s, self.leave_s = acts[0].from_s, leave_s
        self._clock = Envelope(acts, [MANNERS[act.activity].pace for act in acts], ramp_s=_HALT_S)
        ends = [act.to_s for act in acts if MANNERS[act.activity].pace]
        self._reached = np.concatenate([[0.0], self._clock.integral(np.asarray(ends))])
        self._stops = np.asarray(stops, np.float64)
        self._legs = np.diff(self._stops, axis=0) / np.diff(self._reached)[:, None]
        self._wobble, self._roam, self._roam_m = rng.random((6, 2)), rng.random((6, 2)), roam_m

    def at(self, times: Floats) -> tuple[Floats, Floats]:
        """As `Path.at`."""
        reached, pace = self._clock.integral(times), self._clock.at(times)[:, None]
        leg = np.clip(np.searchsorted(self._reached, reached, side="right") - 1, 0, len(self._legs) - 1)
        on_leg = np.minimum(reached, self._reached[-1]) - self._reached[leg]
        place = self._stops[leg] + on_leg[:, None] * self._legs[leg]
        place = place + _UNEVEN_M * pace * smooth_noise(times, self._wobble, 1.5)
        place += self._roam_m / 2 * smooth_noise(times, self._roam, _ROAM_S)
        return place, self._legs[leg] * pace
