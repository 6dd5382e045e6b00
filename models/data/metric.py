"""Fingerprints of a device with places in metres, laid out like device_loc_metric_nexmon: ``DIR/<site>.npz``.

Log amplitudes of several access points, one row a packet. Rows of one place are near copies of each other:
whole places are left out, never rows.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from models.data.arrays import load_arrays, names_in
from models.data.fingerprints import checked
from models.data.registry import Progress, check_wanted, quiet
from models.data.samples import PLAIN, Samples, rows
from models.errors import DatasetError

NAME = "metric"
LAYOUT = "DIR/<site>.npz with amplitude [row, access point, subcarrier] and position_m [row, 2]"
LEARNERS = {"localization": "radio_map"}
LEAVE_OUT = ("position",)
LEVEL = "level"
"""Input: natural logarithm of amplitude, float64 ``[row, access point, subcarrier]``."""
_ARRAYS = ("amplitude", "position_m")


def recognises(folder: Path) -> bool:
    """Whether it holds files with rows and places in metres."""
    return any(names_in(path) >= set(_ARRAYS) for path in sorted(folder.glob("*.npz"))[:1])


def domains(folder: Path, task: str) -> Mapping[str, Sequence[Path]]:
    """One file a site.

    Raises:
        DatasetError: there is none.
    """
    del task
    found = {path.stem: [path] for path in sorted(folder.glob("*.npz"))}
    if not found:
        raise DatasetError(f"data set {folder} holds no <site>.npz")
    return found


def site(domain: str) -> str:
    """Every file has access points and coordinates of its own."""
    return domain


def load(
    folder: Path,
    task: str,
    wanted: Sequence[str],
    *,
    inputs: Sequence[str] = (),
    classes: Sequence[str] | None = None,
    progress: Progress = quiet,
) -> Samples:
    """All rows of these domains, labelled with x and y in metres.

    Raises:
        DatasetError: a domain is unknown, a file is damaged, files differ in access points or subcarriers,
            or classes are asked for.
    """
    del inputs
    if classes is not None:
        raise DatasetError(f"places of {folder} are metres: there are no classes to choose from")
    known = domains(folder, task)
    check_wanted(folder, known, wanted)
    parts = [_rows(known[name][0], name, task) for name in wanted]
    shapes = {name: part.inputs[LEVEL].shape[1:] for name, part in zip(wanted, parts, strict=True)}
    if len(set(shapes.values())) > 1:
        raise DatasetError(f"{folder}: domains differ in access points or subcarriers: {shapes}")
    progress("features", 1.0)
    return Samples.join(parts)


def _rows(path: Path, domain: str, task: str) -> Samples:
    file = load_arrays(path, _ARRAYS)
    level = file["amplitude"].astype(np.float64)
    if level.ndim != 3:
        raise DatasetError(f"{path}: amplitude is {level.shape}; [row, access point, subcarrier] is expected")
    checked(path, "amplitude", level, level.shape[1:])
    place = checked(path, "position_m", file["position_m"].astype(np.float64), (2,))
    return rows(task, {LEVEL: level, PLAIN: level.reshape(len(level), -1)}, place, (), domain=domain)
