"""Windows of simulated people with the truth for each bin of time: who crosses the link, who comes in.

Nothing measured; models trained on these say so (`trained_on: simulation`).
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from drivers.simulate.cast import Role
from drivers.simulate.gate import OBJECTS, gate_scene
from drivers.simulate.random_scene import random_scene
from drivers.simulate.recording import room_name, room_number
from drivers.simulate.scene import Scene
from drivers.simulate.schedule import Schedule
from drivers.simulate.script import Script
from drivers.simulate.simulation import Chunk, simulate
from models.data.registry import Progress, quiet
from models.data.samples import Samples
from models.data.windows import samples_of, windows_of
from models.errors import DatasetError
from models.signal.inputs import AMPLITUDE, TIME_BINS
from models.signal.window import WindowSpec

NEAR_M = 0.5
"""Somebody whose middle is no further than this from the line of sight is crossing it."""
ENTRY_S = 1.5
"""How long somebody who came in counts as coming in."""
_SHY = 0.4  # share of walks that turn back before the link
_TURN_M = (1.0, 1.6)
_LEAST_M = 0.7  # that somebody walks before they turn back
_PAUSE_S = (0.5, 1.5)
_SPAN_S = (3.0, 7.0)
_SPEC = WindowSpec(4.0, 2.0)

Floats = npt.NDArray[np.float64]
Truth = Callable[[Chunk], npt.NDArray[np.bool_]]


def crossings(rooms: int, *, seed: int, walks: int = 10, progress: Progress = quiet) -> Samples:
    """Walks through corridors with a link across; four in ten turn back before they reach it.

    Returns:
        Windows of 4 s with `AMPLITUDE`; corridor = domain; the label is float64 ``[row, 100]``, 1 in bins in
        which somebody is within `NEAR_M` of the line of sight.

    Raises:
        DatasetError: no room, or no walk.
    """
    return _joined(
        "crossing", rooms, walks, lambda number: _gate(number, walks), seed=seed, progress=progress
    )


def entries(rooms: int, *, seed: int, spans: int = 16, progress: Progress = quiet) -> Samples:
    """Rooms with none to two people who come, walk about and go, one at a time.

    Returns:
        As `crossings`; the label is 1 in bins in which somebody came in less than `ENTRY_S` ago.

    Raises:
        DatasetError: no room, or no span.
    """
    return _joined(
        "entry", rooms, spans, lambda number: _visited(number, spans), seed=seed, progress=progress
    )


def _joined(
    task: str,
    rooms: int,
    each: int,
    made: Callable[[int], tuple[Scene, Truth]],
    *,
    seed: int,
    progress: Progress,
) -> Samples:
    """Rows of all rooms."""
    if rooms < 1 or each < 1:
        raise DatasetError(f"{rooms} simulated rooms with {each} walks or visits each hold nothing")
    parts = []
    for room in range(rooms):
        progress(f"room {room + 1}", room / rooms)
        number = room_number(seed, room)
        parts.append(_rows(task, room_name(number), *made(number)))
    return Samples.join(parts)


def _rows(task: str, name: str, scene: Scene, truth: Truth) -> Samples:
    """Windows of one recording and what is true in each bin of them."""
    chunks = list(simulate(scene, chunk_s=2.0))
    windows = windows_of((block for chunk in chunks for block in chunk.blocks), _SPEC)
    samples = samples_of(
        windows,
        task=task,
        domain=name,
        session=name,
        label=0,
        classes=(),
        spec=_SPEC,
        origin_ns=0,
        inputs=(AMPLITUDE,),
    )
    times = np.concatenate([chunk.times for chunk in chunks])
    flags = np.concatenate([truth(chunk) for chunk in chunks])
    return replace(samples, label=_binned(samples.start_s, times, flags))


def _binned(start_s: Floats, times: Floats, flags: npt.NDArray[np.bool_]) -> Floats:
    """The truth in the middle of each bin, ``[row, bin]``."""
    middles = (np.arange(TIME_BINS) + 0.5) * _SPEC.length_s / TIME_BINS
    found = np.interp(start_s[:, None] + middles, times, flags.astype(np.float64))
    return np.asarray(found > 0.5, np.float64)


def _gate(number: int, walks: int) -> tuple[Scene, Truth]:
    """A corridor in which some turn back, and whether somebody is on the link's line."""
    rng = np.random.default_rng([number, 21])
    scene, _ = gate_scene(number, [OBJECTS[int(one)] for one in rng.integers(len(OBJECTS), size=walks)])
    line = np.stack([scene.link.transmitter.centre, scene.link.receiver.centre])[:, :2]
    cast = tuple(_shy(role, line[:, 0], rng) if rng.random() < _SHY else role for role in scene.cast)

    def crossing(chunk: Chunk) -> npt.NDArray[np.bool_]:
        along = line[1] - line[0]
        offset = chunk.positions[..., :2] - line[0]
        apart = np.abs(along[0] * offset[..., 1] - along[1] * offset[..., 0]) / np.hypot(*along)
        return np.asarray((apart <= NEAR_M).any(axis=1))  # NaN, nobody, is not

    return replace(scene, cast=cast), crossing


def _shy(role: Role, line_x: Floats, rng: np.random.Generator) -> Role:
    """They come as fast as for the whole walk, but stop before the link and go back: speed tells nothing."""
    (x, y), (end_x, _) = role.stops[0], role.stops[-1]
    speed = abs(end_x - x) / (role.script.leave_s - role.script.enter_s)
    margin = float(rng.uniform(*_TURN_M))
    if x < min(line_x):
        turn = max(float(min(line_x)) - margin, x + _LEAST_M)
    else:
        turn = min(float(max(line_x)) + margin, x - _LEAST_M)
    way, pause = (abs(turn - x) / speed, "walking"), (float(rng.uniform(*_PAUSE_S)), "standing")
    script = Script.of([way, pause, way], from_s=role.script.enter_s)
    return replace(role, script=script, stops=((x, y), (turn, y), (x, y)))


def _visited(number: int, spans: int) -> tuple[Scene, Truth]:
    """A room in which the number of people goes up and down by one, and whether one has just come."""
    rng = np.random.default_rng([number, 22])
    schedule = Schedule(tuple((float(rng.uniform(*_SPAN_S)), people) for people in _counts(spans, rng)))
    came_s = [enter_s for enter_s, _ in schedule.stays() if enter_s > 0]

    def entering(chunk: Chunk) -> npt.NDArray[np.bool_]:
        since = chunk.times[:, None] - np.asarray(came_s)
        return np.asarray(((since >= 0) & (since < ENTRY_S)).any(axis=1))

    return random_scene(number, schedule), entering


def _counts(spans: int, rng: np.random.Generator) -> Sequence[int]:
    """A walk over 0, 1, 2."""
    counts = [0]
    while len(counts) < spans:
        counts.append(1 if counts[-1] != 1 else 2 * int(rng.integers(2)))
    return counts
