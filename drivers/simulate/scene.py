"""A scene: one room, one link, who is inside when, and the card that listens."""

from dataclasses import dataclass, field

from drivers.simulate.activity import ON_FOOT, Activity
from drivers.simulate.carried import Carried
from drivers.simulate.cast import Role
from drivers.simulate.channel import Link
from drivers.simulate.path import WALKING, Behaviour
from drivers.simulate.people import Fan
from drivers.simulate.radio import Radio
from drivers.simulate.schedule import Schedule
from drivers.simulate.timing import Traffic


@dataclass(frozen=True, slots=True)
class Crowd:
    """What the people of a scene are like.

    Attributes:
        behaviours: everybody gets one of these.
        cross_section_m2: least and greatest radar cross section of a body.
        blocking: share of a path's amplitude that a body right in its way takes.
        absorption: share of the late reflections' amplitude that each body takes.
        carried: what everybody carries, if anything.
    """

    behaviours: tuple[Behaviour, ...] = (WALKING,)
    cross_section_m2: tuple[float, float] = (0.5, 1.2)
    blocking: float = 0.6
    absorption: float = 0.03
    carried: Carried | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """Everything a simulation needs; the same scene and seed give the same frames.

    Attributes:
        link: room, antennas, subcarriers.
        schedule: how many people are inside when.
        crowd: what they are like.
        cast: people with a script, besides those of the schedule.
        traffic: when packets come.
        radio: imperfections of the card.
        nic: which card it is; its subcarriers are those of the link's grid.
        fans: moving things that are nobody.
        drift_rad: how far the static paths drift in minutes.
        door: where people come in, metres.
        seed: of everything random.

    Raises:
        ValueError: a role that ends before the scene does, and not on foot.
    """

    link: Link
    schedule: Schedule
    crowd: Crowd = field(default_factory=Crowd)
    cast: tuple[Role, ...] = ()
    traffic: Traffic = field(default_factory=Traffic)
    radio: Radio = field(default_factory=Radio)
    nic: str = "intel5300"
    fans: tuple[Fan, ...] = ()
    drift_rad: float = 0.02
    door: tuple[float, float] = (0.4, 0.4)
    seed: int = 0

    def __post_init__(self) -> None:
        for role in self.cast:
            last = role.script.acts[-1]
            early = last.to_s < self.schedule.seconds - 1e-6
            if early and last.activity not in (*ON_FOOT, Activity.VACANT):
                end = f"ends {last.activity} at {last.to_s:g} s, the scene at {self.schedule.seconds:g} s"
                raise ValueError(f"people leave on foot; person {role.person} {end}")
