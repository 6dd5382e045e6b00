"""Feature rows laid out like wical_counting_esp: ``DIR/<room>_sess<n>_count.npz`` and ``…_section.npz``.

Four links of 13 subcarriers, one row a window: statistics of the amplitude by link and subcarrier, then terms
of a link. Rows are no CSI: what is learned from them stays offline.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from models.data.arrays import load_arrays
from models.data.registry import Progress, check_wanted, quiet
from models.data.samples import PLAIN, PROFILE, Samples, rows
from models.errors import DatasetError

NAME = "wical"
LAYOUT = "DIR/<room>_sess<n>_count.npz and DIR/<room>_sess<n>_section.npz with features and label"
LEARNERS = {"counting": "gain_free_lda", "localization": "link_views"}
LEAVE_OUT = ("day",)
SIZES, TERMS = "link-sizes", "link-terms"
"""Inputs: statistics that scale with a gain ``[row, link, statistic, subcarrier]``; other terms."""
LINKS, SUBCARRIERS = 4, 13
STATISTICS = {"counting": 7, "localization": 6}
"""Deviation, least, largest, both quartiles, mean (and their range)."""
MEAN = 5
_FLOOR = 1.0
Floats = npt.NDArray[np.float64]
_ENDING = {"counting": "_count", "localization": "_section"}


def recognises(folder: Path) -> bool:
    """Whether it holds files of either kind."""
    return any(next(folder.glob(f"*{ending}.npz"), None) is not None for ending in _ENDING.values())


def domains(folder: Path, task: str) -> Mapping[str, Sequence[Path]]:
    """One file a room and session; a domain goes by the file's name, with or without its ending.

    Raises:
        DatasetError: there is none for this task.
    """
    ending = _ENDING[task]
    files = sorted(folder.glob(f"*{ending}.npz"))
    if not files:
        raise DatasetError(f"data set {folder} holds no file <room>_sess<n>{ending}.npz")
    return {name: [path] for path in files for name in (path.stem.removesuffix(ending), path.stem)}


def site(domain: str) -> str:
    """The room."""
    return domain.partition("_sess")[0]


def load(
    folder: Path,
    task: str,
    wanted: Sequence[str],
    *,
    inputs: Sequence[str] = (),
    classes: Sequence[str] | None = None,
    progress: Progress = quiet,
) -> Samples:
    """All rows of these domains.

    Raises:
        DatasetError: a domain is unknown, a file is damaged, or a class is empty.
    """
    del inputs
    known = domains(folder, task)
    check_wanted(folder, known, wanted)
    files = {name: load_arrays(known[name][0], ("features", "label")) for name in wanted}
    progress("features", 1.0)
    highest = max(int(one["label"].max()) for one in files.values())
    if classes is not None and all(name.isdecimal() for name in classes):
        highest = min(highest, max(int(name) for name in classes))
    names = tuple(str(n) for n in range(highest + 1))
    kept = names if classes is None else tuple(classes)
    parts = [_rows(one, name, task, names, kept) for name, one in files.items()]
    samples = Samples.join(parts)
    for name in kept:
        if name not in names or names.index(name) not in samples.label:
            raise DatasetError(
                f"class {name!r} of {', '.join(wanted)} is empty: there are {', '.join(names)}"
            )
    return samples


def _rows(
    file: Mapping[str, np.ndarray], domain: str, task: str, names: tuple[str, ...], kept: tuple[str, ...]
) -> Samples:
    label = file["label"].astype(np.int64)
    keep = np.isin(label, [names.index(name) for name in kept if name in names])
    if not keep.any():
        raise DatasetError(f"{domain} holds none of the classes {', '.join(kept)}")
    features, label = file["features"][keep].astype(np.float64), label[keep]
    links = features.reshape(len(features), LINKS, -1)
    cut = STATISTICS[task] * SUBCARRIERS
    if links.shape[2] <= cut:
        raise DatasetError(
            f"{domain}: rows of {features.shape[1]} numbers; {LINKS} x over {cut} are expected"
        )
    sizes = links[:, :, :cut].reshape(len(features), LINKS, STATISTICS[task], SUBCARRIERS)
    number = np.concatenate([np.arange((label == one).sum()) for one in dict.fromkeys(label.tolist())])
    return rows(
        task,
        {SIZES: sizes, TERMS: links[:, :, cut:], PLAIN: features, PROFILE: _profile(sizes)},
        label,
        names,
        domain=domain,
        session=[f"{domain}/{names[one]}" for one in label],
        start_s=number.astype(np.float64),
    )


def _profile(sizes: Floats) -> Floats:
    """Static log amplitude by link and subcarrier ``[row, series]``: the mean of each row's packets."""
    return np.log(np.maximum(sizes[:, :, MEAN], 0) + _FLOOR).reshape(len(sizes), -1)
