"""Recordings of one person who does one thing after the other."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from drivers.frame import FrameBlock
from drivers.simulate.cast import Role
from drivers.simulate.plot import random_script
from drivers.simulate.random_scene import random_scene
from drivers.simulate.recording import record, room_name, room_number, start_ns
from drivers.simulate.schedule import constant
from drivers.simulate.script import Script


@dataclass(frozen=True, slots=True)
class Span:
    """What happened from `from_ns` to before `to_ns`, on the clock of ``capture_ns``."""

    from_ns: int
    to_ns: int
    label: str


def labelled_activities(
    seed: int,
    rooms: int,
    recordings: int = 4,
    seconds: float = 120.0,
    episodes: Sequence[str] = (),
    *,
    rate_hz: float = 50.0,
    shape: tuple[int, int] | None = None,
    nic: str = "intel5300",
) -> Iterator[tuple[str, int, list[Span], list[FrameBlock]]]:
    """Recordings of one person in `rooms` different rooms, each with another person, script and day.

    Args:
        seed: another seed is other rooms.
        rooms: how many.
        recordings: of each room.
        seconds: length of each recording; 120 s hold every episode at least once, or nearly.
        episodes: keys of `plot.EPISODES` to draw from, none for all; ``sitting`` brings ``sit_down``
            and ``stand_up`` with it, ``falling`` brings ``lying`` and ``stand_up``, ``vacant`` ``walking``.
        rate_hz: packets a second; each recording varies it by up to 20 %.
        shape: receive antennas and transmit streams, None for what the card usually has.
        nic: which card listens.

    Yields:
        Room name, number of the recording, spans that cover it without a gap (label: an `Activity`), and
        blocks in order of time with ``capture_ns`` as Unix-like time.

    Raises:
        ValueError: an unknown episode.
    """
    for room in range(rooms):
        number = room_number(seed, room)
        for turn in range(recordings):
            rng = np.random.default_rng([number, 14, turn])
            rate = rate_hz * float(rng.uniform(0.8, 1.2))
            script = random_script(rng, seconds, episodes)
            still = constant(0, seconds)
            scene = random_scene(number, still, day=turn, rate_hz=rate, shape=shape, drawn=turn, nic=nic)
            begin_ns = start_ns(room, turn)
            blocks = record(replace(scene, cast=(Role(script),)), begin_ns)
            yield room_name(number), turn, _spans(script, seconds, begin_ns), blocks


def _spans(script: Script, seconds: float, begin_ns: int) -> list[Span]:
    """The acts of a script up to the end of the recording."""
    return [
        Span(begin_ns + _ns(act.from_s), begin_ns + _ns(min(act.to_s, seconds)), str(act.activity))
        for act in script.merged()
        if act.from_s < seconds
    ]


def _ns(seconds: float) -> int:
    return round(seconds * 1e9)
