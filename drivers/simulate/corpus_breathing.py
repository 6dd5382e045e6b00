"""Somebody who does nothing but breathe, at a known rate."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from drivers.frame import FrameBlock
from drivers.simulate.cast import Role
from drivers.simulate.random_scene import random_scene
from drivers.simulate.recording import record, room_name, room_number, start_ns
from drivers.simulate.schedule import constant
from drivers.simulate.script import Script


def breathing_windows(
    seed: int,
    rooms: int,
    windows: int = 8,
    seconds: float = 30.0,
    rates_per_minute: tuple[float, float] = (10.0, 25.0),
    *,
    empty: int = 0,
    rate_hz: float = 50.0,
    shape: tuple[int, int] | None = None,
    nic: str = "intel5300",
) -> Iterator[tuple[str, float | None, list[FrameBlock]]]:
    """Windows of one person who sits or lies still, in `rooms` different rooms.

    Args:
        seed: another seed is other rooms.
        rooms: how many.
        windows: of each room with somebody in it, each another person at another place.
        seconds: length of each.
        rates_per_minute: least and greatest number of breaths a minute.
        empty: further windows of each room with nobody in it.
        rate_hz: packets a second; each window varies it by up to 20 %.
        shape: receive antennas and transmit streams, None for what the card usually has.
        nic: which card listens.

    Yields:
        Room name, breaths a minute on average (None in an empty room), and blocks in order of time with
        ``capture_ns`` as Unix-like time.
    """
    for room in range(rooms):
        number = room_number(seed, room)
        for turn in range(windows + empty):
            rng = np.random.default_rng([number, 17, turn])
            packets, breaths = rate_hz * float(rng.uniform(0.8, 1.2)), float(rng.uniform(*rates_per_minute))
            held = ("sitting", "lying")[int(rng.integers(2))]
            script = Script.of([(seconds, held)])
            still = constant(0, seconds)
            scene = random_scene(number, still, day=turn, rate_hz=packets, shape=shape, drawn=turn, nic=nic)
            if turn < windows:
                scene = replace(scene, cast=(Role(script, breath_hz=breaths / 60),))
            blocks = record(scene, start_ns(room, turn))
            yield room_name(number), breaths if turn < windows else None, blocks
