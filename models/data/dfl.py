"""Fingerprints of where a person stands, laid out like dfl_fingerprints_4links.

``DIR/<experiment>_<part>.npz`` holds amplitudes of four links of 30 subcarriers, one row a packet. Rows are
no CSI: what is learned from them stays offline. Rows of a file can be shuffled: a row's number is no time.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from models.data.arrays import load_arrays, names_in
from models.data.fingerprints import Array, checked, only
from models.data.registry import Progress, check_wanted, quiet
from models.data.samples import PLAIN, PROFILE, Samples, rows
from models.errors import DatasetError

NAME = "dfl"
LAYOUT = "DIR/<experiment>_<part>.npz with amplitude [row, 120] and location"
LEARNERS = {"localization": "link_fingerprints"}
LEAVE_OUT = ("day",)
AMPLITUDE = "link-amplitude"
"""Input: linear amplitude, float64 ``[row, 4 links, 30 subcarriers]``, in the card's own unit."""
LINKS, SUBCARRIERS = 4, 30
_ARRAYS = ("amplitude", "location")
_FLOOR = 1.0  # amplitudes are 13 to 22 on average, and 0 in deep fades


def recognises(folder: Path) -> bool:
    """Whether it holds files named experiment_part with rows and places."""
    return any(names_in(path) >= set(_ARRAYS) for path in sorted(folder.glob("*_*.npz"))[:1])


def domains(folder: Path, task: str) -> Mapping[str, Sequence[Path]]:
    """One file an experiment and part.

    Raises:
        DatasetError: there is none.
    """
    del task
    found = {path.stem: [path] for path in sorted(folder.glob("*_*.npz"))}
    if not found:
        raise DatasetError(f"data set {folder} holds no <experiment>_<part>.npz")
    return found


def site(domain: str) -> str:
    """The experiment: places of another one are other places, even where their numbers are the same."""
    return domain.rpartition("_")[0]


def load(
    folder: Path,
    task: str,
    wanted: Sequence[str],
    *,
    inputs: Sequence[str] = (),
    classes: Sequence[str] | None = None,
    progress: Progress = quiet,
) -> Samples:
    """All rows of these domains; a class is the number of a place within its site.

    Raises:
        DatasetError: a domain is unknown, a file is damaged, or a class is empty.
    """
    del inputs
    known = domains(folder, task)
    check_wanted(folder, known, wanted)
    files = {name: load_arrays(known[name][0], _ARRAYS) for name in wanted}
    highest = max(int(one["location"].max(initial=0)) for one in files.values())
    names = tuple(str(number) for number in range(highest + 1))
    parts = [_rows(known[name][0], one, name, task, names) for name, one in files.items()]
    progress("features", 1.0)
    return Samples.join([only(part, classes) for part in parts])


def _rows(
    path: Path, file: Mapping[str, np.ndarray], domain: str, task: str, names: tuple[str, ...]
) -> Samples:
    plain = checked(path, "amplitude", file["amplitude"], (LINKS * SUBCARRIERS,)).astype(np.float64)
    if (plain < 0).any() or (file["location"] < 0).any():
        raise DatasetError(f"{path}: an amplitude or a location is negative")
    made: dict[str, Array] = {
        AMPLITUDE: plain.reshape(-1, LINKS, SUBCARRIERS),
        PLAIN: plain,
        PROFILE: np.log(plain + _FLOOR).astype(np.float32),
    }
    return rows(task, made, file["location"].astype(np.int64), names, domain=domain, shuffled=True)
