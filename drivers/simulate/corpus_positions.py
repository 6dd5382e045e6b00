"""One room in which somebody stands at one reference place after the other, day after day."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from drivers.frame import FrameBlock
from drivers.simulate.cast import Role
from drivers.simulate.random_scene import random_scene
from drivers.simulate.recording import cut, record, room_name, start_ns
from drivers.simulate.room import Floats
from drivers.simulate.schedule import constant
from drivers.simulate.script import Script

_MARGIN_M = 0.6  # reference places keep this far from walls
_PACE_MPS = 0.9
_LEAST_WALK_S = 1.5


def reference_cells(size_m: tuple[float, float], spacing_m: float) -> Floats:
    """Middles of the cells of a room ``[cell, 2]``, metres, row by row along x.

    Raises:
        ValueError: a spacing that is not positive.
    """
    if not spacing_m > 0:
        raise ValueError(f"cells {spacing_m:g} m apart are none")
    axes = []
    for size in size_m:
        count = max(1, int((size - 2 * _MARGIN_M) / spacing_m) + 1)
        axes.append(size / 2 + (np.arange(count) - (count - 1) / 2) * spacing_m)
    x, y = np.meshgrid(*axes)
    return np.stack([x.ravel(), y.ravel()], axis=1)


def labelled_positions(
    room: int,
    days: int,
    seconds: float = 6.0,
    spacing_m: float = 0.8,
    *,
    roam_m: float = 0.1,
    unrest: float = 0.2,
    rate_hz: float = 50.0,
    size_m: tuple[float, float, float] | None = None,
    shape: tuple[int, int] | None = None,
    nic: str = "intel5300",
) -> Iterator[tuple[str, int, int, float, float, list[FrameBlock]]]:
    """Somebody visits every cell of room number `room` once a day, in an order of that day.

    A day is one recording of one person (another each day); on another day the still things of the room
    have moved a little.

    Args:
        room: seed of the room, as for `random_scene`.
        days: how many.
        seconds: how long the person stays at each cell.
        spacing_m: between neighbouring cells.
        roam_m: how far the person shifts about the middle of a cell meanwhile; 0 to stand.
        unrest: how much changes from day to day, see `random_scene`; here antennas are screwed to walls.
        rate_hz: packets a second.
        size_m: room size, None for that of the room's seed.
        shape: receive antennas and transmit streams, None for what the card usually has.
        nic: which card listens.

    Yields:
        Room name, day, cell, its x and y in metres, and blocks in order of time with ``capture_ns`` as
        Unix-like time, of the time spent at the cell alone.

    Raises:
        ValueError: no positive spacing.
    """
    for day in range(days):
        empty = random_scene(
            room,
            constant(0, 1.0),
            day=day,
            unrest=unrest,
            rate_hz=rate_hz,
            size_m=size_m,
            shape=shape,
            nic=nic,
        )
        cells = reference_cells(empty.link.room.size_m[:2], spacing_m)
        order = np.random.default_rng([room, 16, day]).permutation(len(cells))
        role, arrivals = _visits(cells[order], seconds, roam_m)
        schedule = constant(0, role.script.leave_s)
        begin_ns = start_ns(0, day)
        blocks = record(replace(empty, schedule=schedule, cast=(role,)), begin_ns)
        for cell, arrived_s in zip(order.tolist(), arrivals, strict=True):
            from_ns = begin_ns + round(arrived_s * 1e9)
            at_cell = cut(blocks, from_ns, from_ns + round(seconds * 1e9))
            yield room_name(room), day, cell, float(cells[cell, 0]), float(cells[cell, 1]), at_cell


def _visits(places: Floats, seconds: float, roam_m: float) -> tuple[Role, list[float]]:
    """Somebody who stands at each place in turn, and when they arrive there."""
    spans, arrivals, now = [(seconds, "standing")], [0.0], seconds
    for way in np.hypot(*np.diff(places, axis=0).T).tolist():
        walk = max(_LEAST_WALK_S, way / _PACE_MPS)
        arrivals.append(now + walk)
        spans += [(walk, "walking"), (seconds, "standing")]
        now += walk + seconds
    stops = tuple((float(x), float(y)) for x, y in places)
    return Role(Script.of(spans), stops=stops, roam_m=roam_m), arrivals
