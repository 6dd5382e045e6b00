"""Labelled blocks of many simulated rooms, to train on.

Here the numbers of people, with everything else that can be trained on beside it: activities, walks with
things carried, reference places, breathing. Everything follows from the seed; all times are those of
``capture_ns``.
"""

from collections.abc import Iterable, Iterator

import numpy as np

from drivers.frame import FrameBlock
from drivers.simulate.corpus_activities import Span, labelled_activities
from drivers.simulate.corpus_breathing import breathing_windows
from drivers.simulate.corpus_positions import labelled_positions
from drivers.simulate.corpus_stands import TimedStand, labelled_stands
from drivers.simulate.corpus_walks import TimedWalk, labelled_walks
from drivers.simulate.random_scene import random_scene
from drivers.simulate.recording import record, room_name, room_number, start_ns
from drivers.simulate.schedule import constant

__all__ = [
    "Span",
    "TimedStand",
    "TimedWalk",
    "breathing_windows",
    "labelled_activities",
    "labelled_blocks",
    "labelled_positions",
    "labelled_stands",
    "labelled_walks",
]


def labelled_blocks(
    seed: int,
    rooms: int,
    seconds_per_count: float,
    counts: Iterable[int] = range(8),
    *,
    rate_hz: float = 50.0,
    shape: tuple[int, int] | None = None,
    nic: str = "intel5300",
) -> Iterator[tuple[str, int, list[FrameBlock]]]:
    """Recordings of `rooms` different rooms with each number of people in turn.

    Every recording has its own people, and the still things of the room have moved a little since the
    one before, so that the static channel does not give the number away.

    Args:
        seed: another seed is other rooms.
        rooms: how many.
        seconds_per_count: length of each recording.
        counts: numbers of people.
        rate_hz: packets a second; each recording varies it by up to 20 %.
        shape: receive antennas and transmit streams, None for what the card usually has.
        nic: which card listens.

    Yields:
        Room name, people, and blocks in order of time with ``capture_ns`` as Unix-like time.
    """
    for room in range(rooms):
        number = room_number(seed, room)
        for turn, people in enumerate(counts):
            rate = rate_hz * float(np.random.default_rng([number, 4, turn]).uniform(0.8, 1.2))
            schedule = constant(people, seconds_per_count)
            scene = random_scene(number, schedule, day=turn, rate_hz=rate, shape=shape, drawn=turn, nic=nic)
            yield room_name(number), people, record(scene, start_ns(room, turn))
