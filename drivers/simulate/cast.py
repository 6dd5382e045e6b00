"""Who plays in a scene besides the crowd: people with a script, and what they carry."""

from dataclasses import dataclass

import numpy as np

from drivers.simulate.acted_path import HaltingWay, Tour
from drivers.simulate.activity import MANNERS
from drivers.simulate.actor import Actor
from drivers.simulate.carried import Carried
from drivers.simulate.path import Path
from drivers.simulate.script import Script


@dataclass(frozen=True, slots=True)
class Role:
    """One person with a script.

    Attributes:
        script: what they do when.
        person: number of the person; the same number has the same build in the whole scene.
        carried: what they carry, if anything.
        stops: places, x and y in metres. None: start anywhere, and wander. One: start there. More: walk
            straight from each to the next, once for each walk in the script.
        roam_m: how far they shift about where they stand.
        breath_hz: breaths a second; None for a random rate.
        faces_rad: where they face when they stand, from the x axis; None for anywhere.

    Raises:
        ValueError: the script has other than one walk between every two stops, or absences between them.
    """

    script: Script
    person: int = 0
    carried: Carried | None = None
    stops: tuple[tuple[float, float], ...] = ()
    roam_m: float = 0.0
    breath_hz: float | None = None
    faces_rad: float | None = None

    def __post_init__(self) -> None:
        if len(self.stops) < 2:
            return
        walks = sum(MANNERS[act.activity].pace > 0 for stay in self.script.stays() for act in stay.acts)
        if walks != len(self.stops) - 1 or len(self.script.stays()) != 1:
            wanted = len(self.stops) - 1
            raise ValueError(f"{wanted + 1} stops need {wanted} walks in one stay, not {walks}")


@dataclass(frozen=True, slots=True)
class Stage:
    """What a role needs to know about the scene.

    Attributes:
        size_m: width and depth of the room.
        door: where people come and go.
        cross_section_m2: least and greatest radar cross section of a body.
        seconds: length of the scene.
        seed: of everything random.
    """

    size_m: tuple[float, float]
    door: tuple[float, float]
    cross_section_m2: tuple[float, float]
    seconds: float
    seed: int


def actors(role: Role, number: int, stage: Stage) -> list[Actor]:
    """The stays of role number `number`: the same person each time."""
    return [_actor(role, stay, [number, turn], stage) for turn, stay in enumerate(role.script.stays())]


def _actor(role: Role, stay: Script, key: list[int], stage: Stage) -> Actor:
    """One stay; build from the person's number, the way from the stay's."""
    build = np.random.default_rng([stage.seed, 8, role.person])
    ways = np.random.default_rng([stage.seed, 9, *key])
    section, height = float(build.uniform(*stage.cross_section_m2)), float(build.uniform(1.55, 1.9))
    breath_hz, breath_m = float(build.uniform(0.2, 0.3)), float(build.uniform(0.004, 0.006))
    return Actor(
        _path(role, stay, ways, stage),
        stay,
        ways,
        size_m=stage.size_m,
        cross_section_m2=section,
        height_m=height,
        breath_hz=role.breath_hz or breath_hz,
        breath_m=breath_m,
        carried=role.carried,
        faces_rad=role.faces_rad,
    )


def _path(role: Role, stay: Script, rng: np.random.Generator, stage: Stage) -> Path:
    """Straight walks, or a wander that halts."""
    leave_s = stay.leave_s if stay.leave_s < stage.seconds else float("inf")
    if len(role.stops) > 1:
        return Tour(stay.acts, role.stops, leave_s=leave_s, rng=rng, roam_m=role.roam_m)
    width, depth = stage.size_m
    anywhere = (float(rng.uniform(0.2, 0.8) * width), float(rng.uniform(0.2, 0.8) * depth))
    first = role.stops[0] if role.stops else anywhere
    return HaltingWay(
        stay.acts,
        size_m=stage.size_m,
        start=first if stay.enter_s <= 0 else stage.door,
        door=stage.door,
        leave_s=leave_s,
        rng=rng,
        roam_m=role.roam_m,
    )
