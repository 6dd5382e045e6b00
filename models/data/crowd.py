"""People-counting data sets laid out like crowd_rooms_5300: ``DIR/<domain>/<n>p.<suffix>``, n people."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from models.data.capture import blocks_of
from models.data.registry import Progress, check_wanted, quiet
from models.data.samples import Samples
from models.data.windows import samples_of, windows_of
from models.errors import DatasetError
from models.signal.window import WindowSpec

NAME = "crowd"
LAYOUT = "DIR/<domain>/<n>p.dat or .dat.xz, captures with n people"
LEARNERS = {"presence": "stream_set", "counting": "stream_set"}
LEAVE_OUT: tuple[str, ...] = ()
PRESENCE = ("vacant", "occupied")

_RECORDING = re.compile(r"(\d+)p\..+")


def recognises(folder: Path) -> bool:
    """Whether folders in it hold captures named after a number of people."""
    return any(_recordings(entry) for entry in folder.iterdir() if entry.is_dir())


def domains(folder: Path, task: str = "counting") -> Mapping[str, Sequence[Path]]:
    """Captures by room.

    Raises:
        DatasetError: the folder is not there, or holds no such recording.
    """
    del task
    if not folder.is_dir():
        raise DatasetError(f"data set {folder} does not exist (expected a folder of <domain>/<n>p.dat.xz)")
    found = {entry.name: _recordings(entry) for entry in sorted(folder.iterdir()) if entry.is_dir()}
    if not any(found.values()):
        raise DatasetError(f"data set {folder} holds no recording; expected <domain>/<n>p.dat or .dat.xz")
    return {name: list(recordings.values()) for name, recordings in found.items() if recordings}


def site(domain: str) -> str:
    """Every room is a site of its own."""
    return domain


def load(
    folder: Path,
    task: str,
    wanted: Sequence[str],
    *,
    inputs: Sequence[str] = (),
    classes: Sequence[str] | None = None,
    progress: Progress = quiet,
    spec: WindowSpec | None = None,
) -> Samples:
    """All windows of these domains.

    Raises:
        DatasetError: a domain is unknown, a class has no recording, or a recording no window.
    """
    window = spec or WindowSpec()
    check_wanted(folder, domains(folder), wanted)
    jobs = [
        (name, count, path)
        for name in wanted
        for count, path in _wanted(name, _recordings(folder / name), classes).items()
    ]
    most = max(count for _, count, _ in jobs)
    parts = []
    for done, (name, count, path) in enumerate(jobs):
        progress(f"{name}/{path.name}", done / len(jobs))
        parts.append(_recording(path, name, count, most=most, spec=window, inputs=inputs))
    progress("features", 1.0)
    counted = Samples.join(parts)
    return counted if task == "counting" else presence_of(counted)


def presence_of(counted: Samples) -> Samples:
    """The same windows labelled with whether anybody is there."""
    people = np.array([int(name) for name in counted.classes])[counted.label]
    return counted.relabelled("presence", (people > 0).astype(np.int64), PRESENCE)


def _recordings(folder: Path) -> dict[int, Path]:
    """Captures by number of people, rising."""
    found = {
        int(match[1]): path
        for path in sorted(folder.iterdir())
        if path.is_file() and (match := _RECORDING.fullmatch(path.name))
    }
    return dict(sorted(found.items()))


def _wanted(name: str, there: dict[int, Path], classes: Sequence[str] | None) -> dict[int, Path]:
    if classes is None:
        return there
    for one in classes:
        if not one.isdecimal() or int(one) not in there:
            raise DatasetError(f"class {one} of domain {name!r} is empty: it has {sorted(there)}")
    return {int(one): there[int(one)] for one in classes}


def _recording(
    path: Path, domain: str, people: int, *, most: int, spec: WindowSpec, inputs: Sequence[str]
) -> Samples:
    blocks = list(blocks_of(path))
    windows = windows_of(blocks, spec)
    if not windows:
        raise DatasetError(f"recording {path} is shorter than one window of {spec.length_s:g} s")
    return samples_of(
        windows,
        task="counting",
        domain=domain,
        session=f"{domain}/{people}p",
        label=people,
        classes=tuple(str(n) for n in range(most + 1)),
        spec=spec,
        origin_ns=int(blocks[0].table["capture_ns"][0]),
        inputs=inputs,
    )
