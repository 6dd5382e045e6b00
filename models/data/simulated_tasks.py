"""Labelled windows of simulated people who act, walk with things, and stand at known places.

Models trained on these alone say so (`trained_on: simulation`).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from drivers.frame import FrameBlock
from drivers.simulate.carried import Carried, Material, Shape
from drivers.simulate.corpus_activities import Span, labelled_activities
from drivers.simulate.corpus_positions import labelled_positions
from drivers.simulate.corpus_stands import labelled_stands
from drivers.simulate.corpus_walks import labelled_walks
from drivers.simulate.random_scene import random_scene
from drivers.simulate.recording import record, start_ns
from drivers.simulate.schedule import constant
from models.data.registry import Progress, quiet
from models.data.samples import STRETCH, Samples
from models.data.windows import samples_of, windows_of
from models.signal.window import Window, WindowSpec
from models.tasks.localization import NOBODY

ACTIVITIES = ("vacant", "still", "walking", "waving", "sit_down", "stand_up", "falling")
OBJECTS = ("none", "metal", "liquid")
STANDING_OBJECTS = ("none", "metal")
SHEET = Carried(Material.METAL, 0.6, 0.45, Shape.PLATE, "front")
"""What who stands at a simulated gate has before the body: large, and always the same."""
_LONG = {
    "vacant": "vacant",
    "standing": "still",
    "sitting": "still",
    "lying": "still",
    "walking": "walking",
    "strolling": "walking",
    "waving": "waving",
}
_SHORT = ("falling", "sit_down", "stand_up")
"""Acts shorter than a window: one that lies wholly in a window names it, the first of these before others."""
_EMPTY_S = 20.0
_SPEC = WindowSpec()


def activities(
    rooms: int, *, seed: int, inputs: Sequence[str] = (), nic: str = "intel5300", progress: Progress = quiet
) -> Samples:
    """Windows of one person who does one thing after the other, in `rooms` rooms; room = domain."""
    parts = list[Samples]()
    for room, turn, spans, blocks in labelled_activities(seed, rooms, nic=nic, rate_hz=100.0):
        progress(f"{room}, recording {turn + 1}", len(parts) / (4 * rooms))
        windows = windows_of(blocks, _SPEC)
        named = [activity_of(window, spans) for window in windows]
        kept = [(window, ACTIVITIES.index(name)) for window, name in zip(windows, named, strict=True) if name]
        parts.append(
            samples_of(
                [window for window, _ in kept],
                task="activity",
                domain=room,
                session=f"{room}/{turn}",
                person=f"{room}/{turn}",
                label=np.array([label for _, label in kept], np.int64),
                classes=ACTIVITIES,
                spec=_SPEC,
                origin_ns=int(blocks[0].table["capture_ns"][0]),
                inputs=inputs,
            )
        )
    return Samples.join(parts)


def activity_of(window: Window, spans: Sequence[Span]) -> str | None:
    """The short act that lies wholly in the window, or the long one that it lies wholly in; else None."""
    inside = {one.label for one in spans if window.start_ns <= one.from_ns and one.to_ns <= window.end_ns}
    for name in _SHORT:
        if name in inside:
            return name
    for one in spans:
        if one.from_ns <= window.start_ns and window.end_ns <= one.to_ns:
            return _LONG.get(one.label)
    return None


def walks(
    rooms: int, *, seed: int, inputs: Sequence[str] = (), nic: str = "intel5300", progress: Progress = quiet
) -> Samples:
    """Windows of single walks through gates; gate = domain, walk = session, judged together as one unit."""
    parts, total = list[Samples](), rooms * 24
    for room, walk, carried, blocks in labelled_walks(seed, rooms, nic=nic):
        progress(f"{room}, walk {walk.number + 1}", len(parts) / total)
        windows = [one for one in windows_of(blocks, _SPEC) if _crosses(one, walk.from_ns, walk.to_ns)]
        if windows:
            origin = int(blocks[0].table["capture_ns"][0])
            samples = samples_of(
                windows,
                task="suspicious_object",
                domain=room,
                session=f"{room}/{walk.day}/{walk.number}",
                label=OBJECTS.index(carried),
                classes=OBJECTS,
                spec=_SPEC,
                origin_ns=origin,
                inputs=inputs,
            )
            parts.append(_during(samples, walk.from_ns - origin, walk.to_ns - origin))
    return Samples.join(parts)


def _during(samples: Samples, from_ns: int, to_ns: int) -> Samples:
    """The rows with the walk they belong to."""
    walk = np.tile(np.array([from_ns, to_ns]) / 1e9, (len(samples), 1))
    return replace(samples, inputs={**samples.inputs, STRETCH: walk})


def stands(
    gates: int,
    *,
    seed: int,
    stops: int = 32,
    sheet: Carried | str = SHEET,
    spread_m: float = 0.005,
    inputs: Sequence[str] = (),
    nic: str = "intel5300",
    progress: Progress = quiet,
) -> Samples:
    """Windows of somebody who stands still on the link of gates, with metal every other time.

    A gate on one day is a domain and a session. `sheet` is carried, or things of random size with its name.
    """
    parts, begins = list[Samples](), dict[str, int]()
    things = (STANDING_OBJECTS[0], sheet)
    found = labelled_stands(seed, gates, stops, 1, things, spread_m=spread_m, nic=nic)
    for room, stand, carried, blocks in found:
        progress(f"{room}, stop {stand.number + 1}", len(parts) / (gates * stops))
        windows = windows_of(blocks, _SPEC)
        begins.setdefault(room, stand.from_ns)
        if windows:
            samples = samples_of(
                windows,
                task="suspicious_object",
                domain=room,
                session=room,
                label=STANDING_OBJECTS.index(carried),
                classes=STANDING_OBJECTS,
                spec=_SPEC,
                origin_ns=begins[room],
                inputs=inputs,
            )
            parts.append(samples)
    return Samples.join(parts)


def _crosses(window: Window, from_ns: int, to_ns: int) -> bool:
    """Whether the middle of the walk, where the link is crossed, lies in the window."""
    return window.start_ns <= (from_ns + to_ns) // 2 < window.end_ns


@dataclass(frozen=True, slots=True)
class Places:
    """Windows at the places of one room, and where those are."""

    samples: Samples
    cells: tuple[tuple[str, float, float], ...]


def positions(
    room: int,
    days: int,
    *,
    inputs: Sequence[str] = (),
    nic: str = "intel5300",
    spacing_m: float = 2.0,
    progress: Progress = quiet,
) -> Places:
    """Windows of somebody at each place of room number `room`, and of nobody; day = domain."""
    cells: dict[str, tuple[float, float]] = {}
    found: list[tuple[int, str, list[FrameBlock]]] = []
    for day, name, x, y, blocks in _visits(room, days, nic, spacing_m):
        progress(f"day {day + 1}, {name}", day / days)
        if name != NOBODY:
            cells.setdefault(name, (x, y))
        found.append((day, name, blocks))
    classes = (*sorted(cells), NOBODY)
    parts = [
        samples_of(
            windows_of(blocks, _SPEC),
            task="localization",
            domain=f"day{day:02d}",
            session=f"day{day:02d}/{name}",
            label=classes.index(name),
            classes=classes,
            spec=_SPEC,
            origin_ns=int(blocks[0].table["capture_ns"][0]),
            inputs=inputs,
        )
        for day, name, blocks in found
    ]
    places = tuple((name, round(x, 3), round(y, 3)) for name, (x, y) in sorted(cells.items()))
    return Places(Samples.join(parts), places)


def _visits(
    room: int, days: int, nic: str, spacing_m: float
) -> Iterator[tuple[int, str, float, float, list[FrameBlock]]]:
    """Somebody at each cell on each day, then nobody."""
    for _, day, cell, x, y, blocks in labelled_positions(
        room, days, seconds=8.0, spacing_m=spacing_m, nic=nic, rate_hz=100.0, unrest=UNREST, roam_m=0.15
    ):
        yield day, f"c{cell:02d}", x, y, blocks
    for day in range(days):
        scene = random_scene(room, constant(0, _EMPTY_S), day=day, unrest=UNREST, nic=nic, rate_hz=100.0)
        yield day, NOBODY, 0.0, 0.0, record(scene, start_ns(1, day))


UNREST = 0.2
"""How much changes from day to day where antennas are screwed to walls (`random_scene`)."""
