"""Simulated rooms as a data set: ``--data simulation``. No folder holds it; rooms are made when asked for.

Room 7 is ``room07``, the same for everybody and always; for suspicious objects it is a corridor with a gate.
Places are learned by room and day: ``room07-d0`` to ``room07-d7`` are one room on eight days.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

import drivers.simulate
from models.data import simulated_tasks, simulation
from models.data.classes import only_classes, over_all_classes
from models.data.crowd import presence_of
from models.data.registry import SIMULATION, Caveat, Progress, quiet
from models.data.samples import Samples
from models.errors import DatasetError
from models.signal.window import WindowSpec
from models.tasks.localization import NOBODY

NAME = SIMULATION
LAYOUT = "no folder: simulated rooms room00 to room99, for --data simulation"
LEARNERS = {
    "presence": "stream_set",
    "counting": "stream_set",
    "localization": "counting_dnn",  # better than fingerprints with days of room04 to room06 left out
    "suspicious_object": "object_cnn",
    "activity": "counting_dnn",
}
LEAVE_OUT = ("day",)
ROOMS, DAYS = 100, 8
SEED = 4000
"""Of room00; those after it follow. Shipped models are trained in other rooms (`models.training.sources`)."""
SECONDS = 20.0
"""Length of the recording of each number of people."""


def recognises(folder: Path) -> bool:
    """Whether this is the word for it, and no folder."""
    return folder == Path(NAME) and not folder.exists()


def domains(folder: Path, task: str) -> Mapping[str, Sequence[Path]]:
    """All rooms that can be asked for, for places each of their days; there are no files."""
    del folder
    rooms = [f"room{number:02d}" for number in range(ROOMS)]
    if task == "localization":
        return {f"{room}-d{day}": () for room in rooms for day in range(DAYS)}
    return dict.fromkeys(rooms, ())


def site(domain: str) -> str:
    """The room."""
    return domain.partition("-")[0]


def digest(task: str, wanted: Sequence[str]) -> str:
    """Sha256 of what the rows follow from: the simulator's code, the seed, and which rooms were asked for."""
    total = hashlib.sha256(f"{task} {SEED} {SECONDS} {DAYS} {sorted(set(wanted))}\n".encode())
    folder = Path(drivers.simulate.__file__).parent
    for path in (*sorted(folder.rglob("*.py")), *sorted(Path(__file__).parent.glob("simulat*.py"))):
        total.update(f"{path.name}\n".encode() + path.read_bytes())
    return f"{NAME}:{total.hexdigest()}"


def caveats(task: str, source: Sequence[str], target: Sequence[str]) -> Sequence[Caveat]:
    """What a figure from here is not."""
    del task, source, target
    return [Caveat("rooms, people and cards are simulated: this says nothing yet of real rooms")]


def load(
    folder: Path,
    task: str,
    wanted: Sequence[str],
    *,
    inputs: Sequence[str] = (),
    classes: Sequence[str] | None = None,
    progress: Progress = quiet,
) -> Samples:
    """All windows of these rooms, and of no other.

    Raises:
        DatasetError: a room is unknown, or a class is empty.
    """
    known = domains(folder, task)
    for name in wanted:
        if name not in known:
            first, *_, last = known
            raise DatasetError(f"there is no simulated {name!r} for {task}; there are {first} to {last}")
    parts, rooms = list[Samples](), _by_room(wanted)
    for room, names in rooms.items():
        progress(room, len(parts) / len(rooms))
        parts.append(_MAKERS[task](room, names, tuple(inputs)))
    return only_classes(over_all_classes(parts, last=NOBODY), classes)


def _by_room(wanted: Sequence[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name in dict.fromkeys(wanted):
        found.setdefault(site(name), []).append(name)
    return found


def _number(room: str) -> int:
    return int(room.removeprefix("room"))


def _counting(room: str, names: Sequence[str], inputs: Sequence[str]) -> Samples:
    del names
    spec, seed = WindowSpec(), SEED + _number(room)
    return _renamed(simulation.load(1, SECONDS, spec, seed=seed, inputs=inputs), room)


def _presence(room: str, names: Sequence[str], inputs: Sequence[str]) -> Samples:
    return presence_of(_counting(room, names, inputs))


def _activity(room: str, names: Sequence[str], inputs: Sequence[str]) -> Samples:
    del names
    seed = SEED + _number(room)
    return _renamed(simulated_tasks.activities(1, seed=seed, inputs=inputs), room)


def _walks(room: str, names: Sequence[str], inputs: Sequence[str]) -> Samples:
    del names
    seed = SEED + _number(room)
    return _renamed(simulated_tasks.walks(1, seed=seed, inputs=inputs), room)


def _places(room: str, names: Sequence[str], inputs: Sequence[str]) -> Samples:
    """The days asked for; a cell is named with its room, since it is another place in another room."""
    days = [int(name.rpartition("-d")[2]) for name in names]
    number = (SEED + _number(room)) * 100_000
    found = simulated_tasks.positions(number, max(days) + 1, inputs=inputs).samples
    kept = found.take(np.isin(found.domain, [f"day{day:02d}" for day in days]))
    called = np.array([f"{room}-d{int(name.removeprefix('day'))}" for name in kept.domain])
    cells = tuple(name if name == NOBODY else f"{room}/{name}" for name in kept.classes)
    session = np.array([f"{room}/{name}" for name in kept.session])
    return replace(kept, domain=called, session=session, block=session, classes=cells)


_MAKERS: Mapping[str, Callable[[str, Sequence[str], Sequence[str]], Samples]] = {
    "presence": _presence,
    "counting": _counting,
    "localization": _places,
    "suspicious_object": _walks,
    "activity": _activity,
}


def _renamed(samples: Samples, room: str) -> Samples:
    """The same rows under the name that was asked for."""
    old = str(samples.domain[0])
    session, person, block = (
        np.array([str(name).replace(old, room, 1) for name in names])
        for names in (samples.session, samples.person, samples.block)
    )
    domain = np.full(len(samples), room)
    return replace(samples, domain=domain, session=session, person=person, block=block)
