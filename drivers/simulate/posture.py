"""Postures over time: how fast a body sits down, gets up or falls, and where its points are then.

A fall is a rotation about the feet, half a cosine in time: the chest comes from 1.2 m to the floor in 0.6 to
1 s and reaches 2 to 3.5 m/s downwards, as trunks in staged falls do, below the 5 m/s of a free fall.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from drivers.simulate.activity import MANNERS, Posture
from drivers.simulate.room import Floats
from drivers.simulate.script import Act

UPRIGHT_HEIGHT = np.array([0.72, 0.6, 0.6, 0.25, 0.25])
"""Height of chest, arms, legs as a share of the body height, upright; and their distance along it, lying."""
_SEATED_HEIGHT = np.array([0.46, 0.38, 0.38, 0.2, 0.2])
_SEATED_AHEAD = np.array([0.0, 0.12, 0.12, 0.22, 0.22])  # of the body height
_LYING_M = 0.12  # half a body's thickness: how high the points of a lying body are
_TOP = {Posture.UPRIGHT: 1.0, Posture.SEATED: 0.75}  # of the body height
_TAKES_S = {
    (Posture.UPRIGHT, Posture.SEATED): (1.0, 2.0),
    (Posture.SEATED, Posture.UPRIGHT): (0.9, 1.8),
    (Posture.UPRIGHT, Posture.LYING): (0.6, 1.0),
    (Posture.LYING, Posture.UPRIGHT): (2.5, 4.0),
}


@dataclass(frozen=True, slots=True)
class Change:
    """One change of posture from `start_s`, which takes `takes_s`."""

    start_s: float
    takes_s: float
    before: Posture
    after: Posture


@dataclass(frozen=True, slots=True, eq=False)
class Pose:
    """A body's posture at some times.

    Attributes:
        height_m: of each point ``[time, point]``.
        ahead_m: how far each point is ahead of the feet, seated ``[time, point]``.
        along_m: how far each point is from the feet in the direction of a fall ``[time, point]``.
        lean: 0 upright or seated, 1 lying ``[time]``.
        top_m: highest point of the body ``[time]``.
        torso: height and distance along the fall of the body's middle ``[time, 2]``.
    """

    height_m: Floats
    ahead_m: Floats
    along_m: Floats
    lean: Floats
    top_m: Floats
    torso: Floats


def changes(acts: Sequence[Act], rng: np.random.Generator) -> list[Change]:
    """When a body changes posture in these acts, and how long it takes."""
    found, held = [], MANNERS[acts[0].activity].before[0]
    for act in acts:
        after = MANNERS[act.activity].after
        if after is not held:
            room = act.to_s - act.from_s
            takes = min(float(rng.uniform(*_TAKES_S[held, after])), room)
            start = act.from_s + float(rng.uniform(0, min(0.4, room - takes)))
            found.append(Change(start, takes, held, after))
        held = after
    return found


def pose(times: Floats, first: Posture, changed: Sequence[Change], height_m: float) -> Pose:
    """Posture at `times` of a body of this height that begins in posture `first`."""
    seated = np.full(len(times), float(first is Posture.SEATED))
    lean = np.full(len(times), float(first is Posture.LYING))
    bow = np.zeros(len(times))
    for change in changed:
        done = (1 - np.cos(np.pi * np.clip((times - change.start_s) / change.takes_s, 0, 1))) / 2
        seated += done * _gained(change, Posture.SEATED)
        lean += done * _gained(change, Posture.LYING)
        if Posture.SEATED in (change.before, change.after):
            bow += np.sin(np.pi * done)  # the trunk leans forward to keep its balance
    return _held(seated[:, None], lean, bow, height_m)


def _gained(change: Change, posture: Posture) -> float:
    """1 if the change leads to this posture, -1 if away from it, else 0."""
    return float(change.after is posture) - float(change.before is posture)


def _held(seated: Floats, lean: Floats, bow: Floats, tall: float) -> Pose:
    """Places of the points of a body that is partly seated, partly lying, partly bowed."""
    angle = lean[:, None] * np.pi / 2
    standing = (1 - seated) * UPRIGHT_HEIGHT + seated * _SEATED_HEIGHT
    height = tall * standing * np.cos(angle) + _LYING_M * np.sin(angle)
    ahead = tall * seated * _SEATED_AHEAD * np.cos(angle)
    ahead[:, 0] += 0.15 * tall * bow
    top = _TOP[Posture.UPRIGHT] * (1 - seated[:, 0]) + _TOP[Posture.SEATED] * seated[:, 0]
    middle = tall * (0.6 - 0.2 * seated[:, 0])
    torso = [middle * np.cos(angle[:, 0]) + _LYING_M * lean, middle * np.sin(angle[:, 0])]
    return Pose(
        height_m=height,
        ahead_m=ahead,
        along_m=tall * standing * np.sin(angle),
        lean=lean,
        top_m=tall * top * np.cos(angle[:, 0]) + 2 * _LYING_M * lean,
        torso=np.stack(torso, axis=1),
    )
