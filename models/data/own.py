"""Data sets of one's own: a folder with captures and a `dataset.toml` (docs/recording.md)."""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from drivers.frame import FrameBlock
from models.data.capture import blocks_of
from models.data.manifest import FILE, Recording, Span, read_manifest
from models.data.registry import Progress, check_wanted, quiet
from models.data.samples import Samples
from models.data.windows import samples_of, windows_of
from models.errors import DatasetError
from models.signal.window import Window, WindowSpec

NAME = "own"
LAYOUT = "DIR/dataset.toml beside captures, as `roomtone record` writes it"
LEARNERS = {
    "presence": "stream_set",
    "counting": "stream_set",
    "localization": "fingerprint_dnn",
    "suspicious_object": "object_cnn",
    "activity": "cnn_bilstm",
}
LEAVE_OUT = ("person", "position", "day")

_ORDERED = {"presence": ("vacant", "occupied")}
_METRES = re.compile(r"\s*(-?\d+(?:\.\d+)?)\s*,\s*(-?\d+(?:\.\d+)?)\s*")
_NOT_LABELLED = -1


def recognises(folder: Path) -> bool:
    """Whether it holds a `dataset.toml`."""
    return (folder / FILE).is_file()


def domains(folder: Path, task: str) -> Mapping[str, Sequence[Path]]:
    """Captures with a label of this task, by domain.

    Raises:
        DatasetError: the list is damaged, or no recording has such a label.
    """
    found: dict[str, list[Path]] = {}
    recordings = read_manifest(folder)
    for one in recordings:
        if one.of(task):
            found.setdefault(one.domain, []).append(one.path)
    if not found:
        there = sorted({span.task for one in recordings for span in one.spans})
        raise DatasetError(f"{folder / FILE} labels no {task}, but {', '.join(there) or 'nothing'}")
    return found


def site(domain: str) -> str:
    """One: whoever wrote the manifest names the places, and equal names are equal places."""
    del domain
    return NAME


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
    """All windows that lie wholly within a label of the task.

    Raises:
        DatasetError: a domain is unknown, a capture cannot be read, a label makes no sense, a class is
            empty, or no window is labelled.
    """
    check_wanted(folder, domains(folder, task), wanted)
    recordings = [one for one in read_manifest(folder) if one.domain in wanted and one.of(task)]
    names, places = _classes(recordings, task, classes)
    parts = []
    for done, one in enumerate(recordings):
        progress(one.path.name, done / len(recordings))
        rows = _rows(one, task, names, inputs, spec or WindowSpec())
        if len(rows):
            parts.append(rows)
    progress("features", 1.0)
    if not parts:
        raise DatasetError(f"no window of {folder} lies wholly within a label of {task}; label longer spans")
    samples = Samples.join(parts)
    if places is not None:
        return samples.relabelled(task, places[samples.label], ())
    labelled = {span.label for one in recordings for span in one.of(task)}
    for number, name in enumerate(names):
        if name in labelled and number not in samples.label:
            raise DatasetError(f"class {name!r} of {task} in {folder} is empty: no window lies within it")
    return samples


def _classes(
    recordings: Sequence[Recording], task: str, classes: Sequence[str] | None
) -> tuple[tuple[str, ...], npt.NDArray[np.float64] | None]:
    """Labels in order, and their places in metres where they are written as ``x, y``.

    Raises:
        DatasetError: a label is not one of the task's, or a class that was asked for is not there.
    """
    there = {span.label: one.where for one in recordings for span in one.of(task)}
    for label, where in there.items():
        if label not in _ORDERED.get(task, (label,)) or (task == "counting" and not label.isdecimal()):
            what = "a whole number" if task == "counting" else " or ".join(_ORDERED[task])
            raise DatasetError(f"{where}: {task} is {label!r}; it must be {what}")
    missing = [name for name in classes or () if name not in there]
    if missing:
        raise DatasetError(f"class {missing[0]!r} of {task} is empty: there are {', '.join(sorted(there))}")
    names = tuple(classes or there)
    if task == "counting":
        return tuple(str(n) for n in range(max(map(int, names)) + 1)), None
    metres = [_METRES.fullmatch(name) for name in names]
    if task == "localization" and all(metres):
        return names, np.array([[float(one[1]), float(one[2])] for one in metres if one])
    return tuple(one for one in _ORDERED.get(task, sorted(names)) if one in names), None


def _rows(
    recording: Recording, task: str, names: tuple[str, ...], inputs: Sequence[str], spec: WindowSpec
) -> Samples:
    blocks = list(blocks_of(recording.path, recording.nic))
    windows = windows_of(blocks, spec)
    if not windows:
        raise DatasetError(f"recording {recording.path} is shorter than one window of {spec.length_s:g} s")
    origin = first_ns(blocks)
    label = np.array([_label(window, origin, recording.of(task), names) for window in windows])
    inside = [window for window, one in zip(windows, label, strict=True) if one != _NOT_LABELLED]
    return samples_of(
        inside,
        task=task,
        domain=recording.domain,
        session=f"{recording.domain}/{recording.session}/{recording.path.name}",
        person=recording.person,
        label=label[label != _NOT_LABELLED],
        classes=names,
        spec=spec,
        origin_ns=origin,
        inputs=inputs,
    )


def first_ns(blocks: Sequence[FrameBlock]) -> int:
    """Capture time of the first frame."""
    return int(blocks[0].table["capture_ns"][0])


def _label(window: Window, origin_ns: int, spans: Sequence[Span], names: tuple[str, ...]) -> int:
    """Class of a window that lies wholly in a labelled span of a wanted class."""
    start, end = (window.start_ns - origin_ns) / 1e9, (window.end_ns - origin_ns) / 1e9
    for span in spans:
        if span.from_s <= start and end <= span.to_s and span.label in names:
            return names.index(span.label)
    return _NOT_LABELLED
