"""Labelled blocks of many simulated rooms, to train on."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

import numpy as np

from drivers.frame import FrameBlock
from drivers.simulate.random_scene import random_scene
from drivers.simulate.schedule import constant
from drivers.simulate.simulation import simulate

_EPOCH_NS = 1_700_000_000_000_000_000
_BETWEEN_NS = 3600 * 1_000_000_000  # recordings of one room lie an hour apart


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
        number = seed * 100_000 + room
        for turn, people in enumerate(counts):
            start_ns = _EPOCH_NS + (room * 64 + turn) * _BETWEEN_NS
            rate = rate_hz * float(np.random.default_rng([number, 4, turn]).uniform(0.8, 1.2))
            schedule = constant(people, seconds_per_count)
            scene = random_scene(number, schedule, day=turn, rate_hz=rate, shape=shape, drawn=turn, nic=nic)
            chunks = simulate(scene, chunk_s=2.0)
            blocks = [_on_unix_time(block, start_ns) for chunk in chunks for block in chunk.blocks]
            yield f"sim-{number:08d}", people, blocks


def _on_unix_time(block: FrameBlock, start_ns: int) -> FrameBlock:
    """The block with its NIC time counted from `start_ns`."""
    table = block.table.copy()
    table["capture_ns"] += start_ns
    return replace(block, table=table)
