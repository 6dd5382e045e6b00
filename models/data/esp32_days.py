"""Empty or occupied room on several days, laid out like presence_esp32: ``DIR/<day>_<path>_<state>.npz``.

Two traps. Every file is one block of half an hour to an hour, so its label is also its time of day: judge
across days. And packets came at another rate in every block (4 to 11 a second), which tells blocks apart
without any room: one packet is kept of every quarter of a second.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from models.data.arrays import load_arrays, names_in
from models.data.blocks import files_by, rows_of
from models.data.recorded import esp32_block, recording_windows
from models.data.registry import Caveat, Progress, quiet
from models.data.samples import Samples
from models.data.windows import samples_of
from models.errors import DatasetError
from models.signal.window import WindowSpec

NAME = "esp32_days"
LAYOUT = "DIR/<day>_<path>_<state>.npz with csi_int8, epoch_s, rssi, file_no and occupied"
LEARNERS = {"presence": "stream_set"}
LEAVE_OUT: tuple[str, ...] = ()
CLASSES = ("vacant", "occupied")
SPEC = WindowSpec(length_s=12.0, hop_s=4.0)
"""Long enough for the frames that features need at four packets a second."""
STEP_NS = 250_000_000
_ARRAYS = ("csi_int8", "epoch_s", "rssi", "file_no")
_BYTES = 128


def recognises(folder: Path) -> bool:
    """Whether it holds such files."""
    return any(names_in(path) >= {*_ARRAYS, "occupied"} for path in sorted(folder.glob("*_*.npz"))[:1])


def domains(folder: Path, task: str) -> Mapping[str, Sequence[Path]]:
    """Each file by its name, and all files of a day by the day (the name before the first ``_``).

    Raises:
        DatasetError: there is none.
    """
    del task
    return files_by(folder, _day)


def site(domain: str) -> str:
    """One place: nobody says otherwise."""
    del domain
    return NAME


def caveats(task: str, source: Sequence[str], target: Sequence[str]) -> Sequence[Caveat]:
    """What to know before believing a figure between these domains."""
    del task
    found = [
        Caveat(
            "each state was recorded in one block of time: what is told apart may be the hour, not a person"
        )
    ]
    if common := sorted({_day(one) for one in source} & {_day(one) for one in target}):
        words = f"source and target share a day, {', '.join(common)}; the set can be judged across days only"
        found.append(Caveat(words, void=True))
    return found


def load(
    folder: Path,
    task: str,
    wanted: Sequence[str],
    *,
    inputs: Sequence[str] = (),
    classes: Sequence[str] | None = None,
    progress: Progress = quiet,
) -> Samples:
    """All windows of these domains.

    Raises:
        DatasetError: a domain is unknown, a file is damaged or holds no window, or a class is not there.
    """
    return rows_of(
        folder,
        domains(folder, task),
        wanted,
        partial(_windows, inputs=inputs),
        flag="occupied",
        names=CLASSES,
        classes=classes,
        guard_s=SPEC.length_s + 3,
        progress=progress,
    )


def _windows(
    path: Path, domain: str, label: int, names: tuple[str, ...], *, inputs: Sequence[str]
) -> Samples:
    file = load_arrays(path, _ARRAYS)
    if file["csi_int8"].shape[1:] != (_BYTES,):
        raise DatasetError(f"{path}: csi_int8 is {file['csi_int8'].shape}; [packet, {_BYTES}] is expected")
    if not np.isfinite(file["epoch_s"]).all():
        raise DatasetError(f"{path}: epoch_s holds what is no time")
    time_ns = np.round(file["epoch_s"] * 1e9).astype(np.int64)
    windows = []
    for number in np.unique(file["file_no"]):  # a recording of a minute each; the time between is not known
        rows = _thinned(time_ns, np.flatnonzero(file["file_no"] == number))
        block = esp32_block(file["csi_int8"][rows], time_ns[rows], file["rssi"][rows])
        windows += recording_windows(block, SPEC)
    if not windows:
        raise DatasetError(f"{path}: no recording is as long as one window of {SPEC.length_s:g} s")
    windows.sort(key=lambda window: window.start_ns)
    return samples_of(
        windows,
        task="presence",
        domain=domain,
        session=path.stem,
        label=label,
        classes=names,
        spec=SPEC,
        origin_ns=int(time_ns.min()),
        inputs=inputs,
    )


def _thinned(time_ns: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """The first of these rows in every step of time, in order of time."""
    rows = rows[np.argsort(time_ns[rows], kind="stable")]
    _, first = np.unique(time_ns[rows] // STEP_NS, return_index=True)
    return np.asarray(rows[first])


def _day(domain: str) -> str:
    return domain.partition("_")[0]
