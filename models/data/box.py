"""Closed box filled or empty, laid out like box_object_nexmon: ``DIR/<radius>_<speed>_<state>.npz``.

A sniffer on a robot drives around the box. All filled runs were recorded before all empty ones: the label is
also the time, in every file, and no split can undo that. It shows that the loader works and nothing else.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np

from models.data.arrays import load_arrays, names_in
from models.data.blocks import files_by, rows_of
from models.data.recorded import nexmon_block, recording_windows
from models.data.registry import Caveat, Progress, quiet
from models.data.samples import Samples
from models.data.windows import samples_of
from models.errors import DatasetError
from models.signal.window import WindowSpec

NAME = "box"
LAYOUT = "DIR/<radius>_<speed>_<state>.npz with csi_int16, time_s, rssi, run, run_start and filled"
LEARNERS = {"suspicious_object": "shallow"}
LEAVE_OUT: tuple[str, ...] = ()
CLASSES = ("empty", "filled")
SPEC = WindowSpec(length_s=12.0, hop_s=4.0)
"""Long enough for the frames that features need at five packets a second."""
_ARRAYS = ("csi_int16", "time_s", "rssi", "run")
_STARTED = "%d_%m_%Y_%H_%M_%S"
_SHAPE = (256, 2)


def recognises(folder: Path) -> bool:
    """Whether it holds such files."""
    return any(names_in(path) >= {*_ARRAYS, "filled"} for path in sorted(folder.glob("*_*.npz"))[:1])


def domains(folder: Path, task: str) -> Mapping[str, Sequence[Path]]:
    """Each file by its name, and each pair of files by what comes before the last ``_``.

    Raises:
        DatasetError: there is none.
    """
    del task
    return files_by(folder, _pair)


def site(domain: str) -> str:
    """One room."""
    del domain
    return NAME


def caveats(task: str, source: Sequence[str], target: Sequence[str]) -> Sequence[Caveat]:
    """Why no figure from this set is an accuracy."""
    del task, source, target
    return [
        Caveat(
            "all filled runs were recorded before all empty ones: the class is the time of recording on "
            "both sides of every split, so this is a smoke test of the loader and no accuracy",
            void=True,
        )
    ]


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
        flag="filled",
        names=CLASSES,
        classes=classes,
        guard_s=SPEC.length_s + 3,
        progress=progress,
    )


def _windows(
    path: Path, domain: str, label: int, names: tuple[str, ...], *, inputs: Sequence[str]
) -> Samples:
    file, began = load_arrays(path, _ARRAYS), _starts(path)
    if file["csi_int16"].shape[1:] != _SHAPE:
        raise DatasetError(f"{path}: csi_int16 is {file['csi_int16'].shape}; [packet, 256, 2] is expected")
    if not np.isfinite(file["time_s"]).all() or not set(np.unique(file["run"])) <= set(range(len(began))):
        raise DatasetError(f"{path}: time_s holds what is no time, or run a run without a run_start")
    time_ns = began[file["run"]] + np.round(file["time_s"].astype(np.float64) * 1e9).astype(np.int64)
    windows = []
    for run in np.unique(file["run"]):
        rows = np.flatnonzero(file["run"] == run)
        rows = rows[np.argsort(time_ns[rows], kind="stable")]
        block = nexmon_block(file["csi_int16"][rows], time_ns[rows], file["rssi"][rows])
        windows += recording_windows(block, SPEC)
    if not windows:
        raise DatasetError(f"{path}: no run is as long as one window of {SPEC.length_s:g} s")
    windows.sort(key=lambda window: window.start_ns)
    return samples_of(
        windows,
        task="suspicious_object",
        domain=domain,
        session=path.stem,
        label=label,
        classes=names,
        spec=SPEC,
        origin_ns=int(time_ns.min()),
        inputs=inputs,
    )


def _pair(name: str) -> str:
    return name.rpartition("_")[0]


def _starts(path: Path) -> np.ndarray:
    """When each run began, in ns; the zone of that clock is not said, and only differences count."""
    texts = load_arrays(path, ("run_start",))["run_start"]
    try:
        told = [datetime.strptime(str(text), _STARTED).replace(tzinfo=UTC) for text in texts]
    except ValueError as error:
        raise DatasetError(f"{path}: run_start: {error}") from error
    return np.array([round(one.timestamp()) * 1_000_000_000 for one in told], np.int64)
