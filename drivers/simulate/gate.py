"""A corridor with a link across it, through which people walk one by one with or without something."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from drivers.simulate.antenna import Array
from drivers.simulate.carried import Carried, Material, Shape
from drivers.simulate.cast import Role
from drivers.simulate.channel import Link
from drivers.simulate.random_scene import random_scene
from drivers.simulate.room import Room
from drivers.simulate.scene import Scene
from drivers.simulate.schedule import constant
from drivers.simulate.script import Script

NOTHING = "none"
OBJECTS = (NOTHING, *Material)
"""What somebody can carry; `NOTHING` is a label like the others."""
_PEOPLE = 4  # who walk through one gate on one day, again and again
_EMPTY_S = (3.0, 5.0)
_DULL = 0.6
_PLACES = ("front", "side", "back")


@dataclass(frozen=True, slots=True)
class Walk:
    """One crossing: seconds from the start of the scene, and what is carried.

    Attributes:
        number: of the walk, from 0.
        from_s: when somebody appears, away from the link.
        to_s: when they have gone, on the other side.
        carried: what they have on them; None for nothing.
    """

    number: int
    from_s: float
    to_s: float
    carried: Carried | None

    @property
    def label(self) -> str:
        """One of `OBJECTS`."""
        return NOTHING if self.carried is None else str(self.carried.material)


def random_object(rng: np.random.Generator, name: str, scale: float = 1.0) -> Carried | None:
    """Something of this kind, of any size from a tin to a tray or a canister; None for `NOTHING`.

    Args:
        rng: of size, shape and place.
        name: one of `OBJECTS`.
        scale: factor of width and height.

    Raises:
        ValueError: not one of `OBJECTS`.
    """
    if name not in OBJECTS:
        raise ValueError(f"{name!r} cannot be carried; there are: {', '.join(OBJECTS)}")
    place, first, second = _PLACES[int(rng.integers(3))], float(rng.random()), float(rng.random())
    if name == NOTHING:
        return None
    if name == Material.LIQUID:
        shape, least, more = Shape.CYLINDER, (0.1, 0.2), (0.2, 0.2)
    elif rng.random() < 0.3:
        shape, least, more = Shape.CYLINDER, (0.1, 0.15), (0.15, 0.2)
    else:
        shape, least, more = Shape.PLATE, (0.2, 0.15), (0.25, 0.2)
    width, height = scale * (least[0] + more[0] * first), scale * (least[1] + more[1] * second)
    return Carried(Material(name), width, height, shape, place)


def gate_scene(
    seed: int,
    objects: Sequence[str | Carried],
    *,
    day: int = 0,
    scale: float = 1.0,
    rate_hz: float = 100.0,
    shape: tuple[int, int] | None = None,
    size_m: tuple[float, float, float] | None = None,
    bandwidth_mhz: int | None = None,
    nic: str = "intel5300",
) -> tuple[Scene, list[Walk]]:
    """One walk after the other through corridor number `seed`, with the corridor empty between them.

    Args:
        seed: the same seed is the same corridor.
        objects: what is carried in each walk: one of `OBJECTS`, of random size, or a thing itself.
        day: on another day other people walk, and the corridor has changed a little.
        scale: factor of the size of things of random size.
        rate_hz: packets a second.
        shape: receive antennas and transmit streams, None for what the card usually has.
        size_m: length, width and height; None for a random corridor.
        bandwidth_mhz: as for `random_scene`.
        nic: which card listens.

    Raises:
        ValueError: no walk, or something that cannot be carried.
    """
    if not objects:
        raise ValueError("a gate needs at least one walk")
    rng, ways = np.random.default_rng([seed, 11]), np.random.default_rng([seed, 12, day])
    size = size_m or (float(rng.uniform(5, 9)), float(rng.uniform(2, 4)), float(rng.uniform(2.4, 3.2)))
    walks, cast = _walks(ways, objects, size, scale)
    scene = random_scene(
        seed,
        constant(0, walks[-1].to_s + _EMPTY_S[0]),
        day=day,
        rate_hz=rate_hz,
        shape=shape,
        size_m=size,
        bandwidth_mhz=bandwidth_mhz,
        nic=nic,
    )
    return replace(scene, link=_across(scene.link, rng), cast=tuple(cast)), walks


def _walks(
    rng: np.random.Generator, objects: Sequence[str | Carried], size: tuple[float, float, float], scale: float
) -> tuple[list[Walk], list[Role]]:
    """Walks from one end of the corridor to the other, either way."""
    walks, cast, now = [], [], 0.0
    for number, thing in enumerate(objects):
        now += float(rng.uniform(*_EMPTY_S))
        ends = [(x, float(rng.uniform(0.3, 0.7) * size[1])) for x in (0.4, size[0] - 0.4)]
        stops = tuple(ends if rng.random() < 0.5 else reversed(ends))
        until = now + (size[0] - 0.8) / float(rng.uniform(0.7, 1.3))
        carried = random_object(rng, thing, scale) if isinstance(thing, str) else thing
        walks.append(Walk(number, now, until, carried))
        script = Script.of([(until - now, "walking")], from_s=now)
        cast.append(Role(script, person=int(rng.integers(_PEOPLE)), carried=carried, stops=stops))
        now = until
    return walks, cast


def _across(link: Link, rng: np.random.Generator) -> Link:
    """The link with its ends at either wall, at the height of a body's middle, and nothing before them.

    The walls are of plasterboard and reflect less than those of `random_scene`; else late reflections,
    which pass by everything that is carried, are most of the channel.
    """
    room = link.room
    dull = tuple(_DULL * wall for wall in room.reflection)
    length, width, _ = link.room.size_m
    middle = length * float(rng.uniform(0.4, 0.6))
    ends = []
    for array, y in ((link.transmitter, 0.25), (link.receiver, width - 0.25)):
        place = np.array([middle + float(rng.uniform(-0.3, 0.3)), y, float(rng.uniform(0.8, 1.3))])
        ends.append(_moved(array, place))
    room = Room(room.size_m, (dull[0], *dull[1:6]))  # type: ignore[arg-type]
    return replace(link, room=room, transmitter=ends[0], receiver=ends[1], transmitted=1.0)


def _moved(array: Array, centre: np.ndarray) -> Array:
    points = array.points - array.centre + centre
    return Array(tuple((float(x), float(y), float(z)) for x, y, z in points))
