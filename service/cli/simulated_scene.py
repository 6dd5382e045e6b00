"""The scene that the options of `roomtone simulate` ask for; bad ones are named."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import typer

from drivers.simulate.cards import CardModel
from drivers.simulate.carried import Carried
from drivers.simulate.cast import Role
from drivers.simulate.gate import NOTHING, OBJECTS, gate_scene
from drivers.simulate.random_scene import random_scene
from drivers.simulate.scene import Scene
from drivers.simulate.schedule import constant
from service.cli.simulate_options import check_bandwidth, object_of, schedule_of, script_of

_MIXED = "mixed"
_PEOPLE = "0-2-0"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What happens in the room: options as they were written.

    Attributes:
        people: schedule; None for the usual one, unless there is something else to see.
        activity: scripts, one a person.
        walks: number of walks through a gate; None for a room.
        carried: what everybody carries.
        thing: width and height of it.
    """

    people: str | None
    activity: tuple[str, ...]
    walks: int | None
    carried: str
    thing: str | None


@dataclass(frozen=True, slots=True)
class Setting:
    """Where it happens and what listens; see `random_scene`."""

    seed: int
    day: int
    rate_hz: float
    nic: CardModel
    size_m: tuple[float, float, float] | None
    bandwidth_mhz: int | None


def scene_of(wanted: Wanted, setting: Setting) -> Scene:
    """The scene.

    Raises:
        BadParameter: an option that cannot be, or that contradicts another.
    """
    check_bandwidth(setting.nic, setting.bandwidth_mhz)
    if sum((wanted.people is not None, bool(wanted.activity), wanted.walks is not None)) > 1:
        raise typer.BadParameter("--people, --activity and --walks are three scenes; choose one of them")
    if wanted.walks is not None:
        return _gate(wanted, wanted.walks, setting)
    if wanted.carried == _MIXED:
        raise typer.BadParameter("mixed needs --walks, which can differ", param_hint="--carried")
    thing = object_of(wanted.carried, wanted.thing)
    scripts = [script_of(text) for text in wanted.activity]
    if scripts:
        schedule = constant(0, max(script.leave_s for script in scripts))
    else:
        schedule = schedule_of(wanted.people or _PEOPLE)
    scene = random_scene(
        setting.seed,
        schedule,
        day=setting.day,
        rate_hz=setting.rate_hz,
        size_m=setting.size_m,
        bandwidth_mhz=setting.bandwidth_mhz,
        nic=setting.nic.nic,
    )
    if scripts:
        cast = [Role(script, person=number, carried=thing) for number, script in enumerate(scripts)]
        try:
            return replace(scene, cast=tuple(cast))
        except ValueError as error:
            raise typer.BadParameter(str(error), param_hint="--activity") from error
    return replace(scene, crowd=replace(scene.crowd, carried=thing))


def _gate(wanted: Wanted, walks: int, setting: Setting) -> Scene:
    """A corridor through which people walk; what is mixed comes in turn."""
    things: Sequence[str | Carried]
    if wanted.carried == _MIXED:
        if wanted.thing is not None:
            raise typer.BadParameter("mixed things have sizes of their own", param_hint="--object")
        things = [OBJECTS[number % len(OBJECTS)] for number in range(walks)]
    else:
        things = [object_of(wanted.carried, wanted.thing) or NOTHING] * walks
    scene, _ = gate_scene(
        setting.seed,
        things,
        day=setting.day,
        rate_hz=setting.rate_hz,
        size_m=setting.size_m,
        bandwidth_mhz=setting.bandwidth_mhz,
        nic=setting.nic.nic,
    )
    return scene
