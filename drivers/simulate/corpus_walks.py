"""Walks through gates, one by one, with and without something carried."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from drivers.frame import FrameBlock
from drivers.simulate.gate import OBJECTS, gate_scene
from drivers.simulate.recording import cut, record, room_name, room_number, start_ns

_MARGIN_NS = 1_500_000_000  # of empty corridor before and after every walk


@dataclass(frozen=True, slots=True)
class TimedWalk:
    """One walk on the clock of ``capture_ns``.

    Attributes:
        day: on which it was; other people walk on another day.
        number: of the walk on that day.
        from_ns: when somebody appears, away from the link.
        to_ns: when they have gone, on its other side.
    """

    day: int
    number: int
    from_ns: int
    to_ns: int


def labelled_walks(
    seed: int,
    rooms: int,
    walks: int = 12,
    days: int = 2,
    objects: Sequence[str] = OBJECTS,
    *,
    scale: float = 1.0,
    rate_hz: float = 100.0,
    shape: tuple[int, int] | None = None,
    nic: str = "intel5300",
) -> Iterator[tuple[str, TimedWalk, str, list[FrameBlock]]]:
    """Single walks through `rooms` different corridors; see `gate_scene`.

    All walks of a day are one recording, with objects in random order and as often as each other, so that
    nothing but the walk itself gives the object away.

    Args:
        seed: another seed is other corridors.
        rooms: how many.
        walks: in each corridor on each day.
        days: on each of which the corridor has changed a little and other people walk.
        objects: what is carried, of ``none``, ``metal``, ``liquid``; sizes and places are random.
        scale: factor of the size of everything carried; 1 for trays, tins, bottles and canisters.
        rate_hz: packets a second.
        shape: receive antennas and transmit streams, None for what the card usually has.
        nic: which card listens.

    Yields:
        Room name, walk, what is carried, and blocks in order of time with ``capture_ns`` as Unix-like time:
        the walk with 1.5 s of empty corridor before and after it.

    Raises:
        ValueError: no walk, or something that cannot be carried.
    """
    for room in range(rooms):
        number = room_number(seed, room)
        for day in range(days):
            rng = np.random.default_rng([number, 15, day])
            things = [objects[turn % len(objects)] for turn in range(walks)]
            order = [things[int(at)] for at in rng.permutation(walks)]
            scene, planned = gate_scene(
                number, order, day=day, scale=scale, rate_hz=rate_hz, shape=shape, nic=nic
            )
            begin_ns = start_ns(room, day)
            blocks = record(scene, begin_ns)
            for walk in planned:
                from_ns, to_ns = (begin_ns + round(at * 1e9) for at in (walk.from_s, walk.to_s))
                timed = TimedWalk(day, walk.number, from_ns, to_ns)
                around = cut(blocks, from_ns - _MARGIN_NS, to_ns + _MARGIN_NS)
                yield room_name(number), timed, walk.label, around
