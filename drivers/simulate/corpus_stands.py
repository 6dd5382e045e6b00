"""People who stop on the link of a gate, one by one, with and without something carried."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from drivers.frame import FrameBlock
from drivers.simulate.carried import Carried, Material
from drivers.simulate.cast import Role
from drivers.simulate.channel import Link
from drivers.simulate.gate import NOTHING, Walk, gate_scene
from drivers.simulate.recording import cut, record, room_name, room_number, start_ns
from drivers.simulate.scene import Scene
from drivers.simulate.schedule import constant
from drivers.simulate.script import Script

_WALK_S = 3.0
_SETTLE_S = 1.0  # left out at either end of a stop: somebody is still slowing down, or turning
_EMPTY_S = 2.0
_AHEAD_RAD = 0.0  # along the corridor


@dataclass(frozen=True, slots=True)
class TimedStand:
    """One stop on the clock of ``capture_ns``.

    Attributes:
        day: on which it was; somebody else stands there on another day.
        number: of the stop on that day.
        from_ns: when somebody stands still.
        to_ns: when they do no more.
    """

    day: int
    number: int
    from_ns: int
    to_ns: int


def labelled_stands(
    seed: int,
    rooms: int,
    stands: int = 8,
    days: int = 2,
    objects: Sequence[str | Carried] = (NOTHING, Material.METAL),
    *,
    seconds: float = 8.0,
    scale: float = 1.0,
    spread_m: float = 0.01,
    rate_hz: float = 100.0,
    shape: tuple[int, int] | None = None,
    nic: str = "intel5300",
) -> Iterator[tuple[str, TimedStand, str, list[FrameBlock]]]:
    """Stops on the link of `rooms` different gates, those of `labelled_walks` with the same seed.

    All stops of a day are one recording of one person, with objects in random order and as often as each
    other. Everybody stops at a mark on the floor midway between the ends of the link, and faces along the
    corridor; meanwhile they sway, breathe and move their arms a little.

    Args:
        seed: another seed is other gates.
        rooms: how many.
        stands: at each gate on each day.
        days: on each of which the gate has changed a little and somebody else stands there.
        objects: what is carried, of ``none``, ``metal``, ``liquid``, of random size and place; or things.
        seconds: how long somebody stands still.
        scale: factor of the size of things of random size.
        spread_m: how far from the mark people stop, standard deviation on each axis.
        rate_hz: packets a second.
        shape: receive antennas and transmit streams, None for what the card usually has.
        nic: which card listens.

    Yields:
        Room name, stop, what is carried, and blocks in order of time with ``capture_ns`` as Unix-like time,
        of the time in which somebody stands still alone.

    Raises:
        ValueError: no stop, or something that cannot be carried.
    """
    for room in range(rooms):
        number = room_number(seed, room)
        for day in range(days):
            rng = np.random.default_rng([number, 17, day])
            things = [objects[turn % len(objects)] for turn in range(stands)]
            order = [things[int(at)] for at in rng.permutation(stands)]
            scene, walks = gate_scene(
                number, order, day=day, scale=scale, rate_hz=rate_hz, shape=shape, nic=nic
            )
            scene, stops = _stopped(scene, walks, seconds, spread_m, rng)
            begin_ns = start_ns(room, day)
            blocks = record(scene, begin_ns)
            for walk, from_s in zip(walks, stops, strict=True):
                from_ns = begin_ns + round(from_s * 1e9)
                to_ns = from_ns + round(seconds * 1e9)
                stand = TimedStand(day, walk.number, from_ns, to_ns)
                yield room_name(number), stand, walk.label, cut(blocks, from_ns, to_ns)


def _stopped(
    scene: Scene, walks: Sequence[Walk], seconds: float, spread_m: float, rng: np.random.Generator
) -> tuple[Scene, list[float]]:
    """The same walks with a stop on the link, and when each of them has come to rest, seconds."""
    cast, stops, now = [], [], _EMPTY_S
    for role, walk in zip(scene.cast, walks, strict=True):
        stays_s = seconds + 2 * _SETTLE_S
        spans = [(_WALK_S, "walking"), (stays_s, "standing"), (_WALK_S, "walking")]
        ends = role.stops
        way = (ends[0], _at_mark(scene.link, spread_m, rng), ends[1])
        script = Script.of(spans, from_s=now)
        cast.append(Role(script, carried=walk.carried, stops=way, faces_rad=_AHEAD_RAD))
        stops.append(now + _WALK_S + _SETTLE_S)
        now += stays_s + 2 * _WALK_S + _EMPTY_S
    return replace(scene, schedule=constant(0, now), cast=tuple(cast)), stops


def _at_mark(link: Link, spread_m: float, rng: np.random.Generator) -> tuple[float, float]:
    """A place at the mark, midway between both ends of the link."""
    middle = (link.transmitter.centre[:2] + link.receiver.centre[:2]) / 2
    x, y = middle + rng.normal(0, spread_m, 2)
    return float(x), float(y)
