"""What a data set of one's own holds, and what would make its figures lie: ``roomtone data check``."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from models.data.capture import blocks_of
from models.data.manifest import Recording, read_manifest
from models.data.registry import Progress, quiet
from models.errors import DatasetError


@dataclass(frozen=True, slots=True)
class Cell:
    """How much there is of one class in one session of one domain."""

    task: str
    domain: str
    label: str
    session: str
    recordings: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Survey:
    """The table, warnings, and what is wrong with single recordings."""

    cells: tuple[Cell, ...]
    warnings: tuple[str, ...]
    errors: tuple[str, ...]


def survey(folder: Path, progress: Progress = quiet) -> Survey:
    """Read every recording and its labels.

    Raises:
        DatasetError: `dataset.toml` is damaged.
    """
    recordings, errors = read_manifest(folder), []
    lengths: dict[Path, float] = {}
    for done, one in enumerate(recordings):
        progress(one.path.name, done / len(recordings))
        try:
            lengths[one.path] = _seconds(one)
        except DatasetError as error:
            errors.append(f"{one.where}: {error}")
            continue
        errors += [
            f"{one.where}: {span.task}={span.label} goes to {span.to_s:g} s, the capture to "
            f"{lengths[one.path]:.1f} s"
            for span in one.spans
            if span.to_s != float("inf") and span.to_s > lengths[one.path] + 1
        ]
    progress("done", 1.0)
    cells = _cells([one for one in recordings if one.path in lengths], lengths)
    return Survey(cells, tuple(_warnings(recordings, cells)), tuple(errors))


def _seconds(recording: Recording) -> float:
    """Time from the first frame to the last."""
    times = [
        int(time)
        for block in blocks_of(recording.path, recording.nic)
        for time in (block.table["capture_ns"].min(), block.table["capture_ns"].max())
    ]
    return (max(times) - min(times)) / 1e9


def _cells(recordings: Sequence[Recording], lengths: dict[Path, float]) -> tuple[Cell, ...]:
    files: Counter[tuple[str, str, str, str]] = Counter()
    seconds: Counter[tuple[str, str, str, str]] = Counter()
    for one in recordings:
        for key in {(span.task, one.domain, span.label, one.session) for span in one.spans}:
            files[key] += 1
        for span in one.spans:
            length = min(span.to_s, lengths[one.path]) - span.from_s
            seconds[span.task, one.domain, span.label, one.session] += max(length, 0)  # type: ignore[assignment]
    return tuple(Cell(*key, files[key], round(float(seconds[key]), 1)) for key in sorted(files))


def _warnings(recordings: Sequence[Recording], cells: Sequence[Cell]) -> list[str]:
    """What makes a figure from this data doubtful, in words."""
    found = []
    tasks = sorted({cell.task for cell in cells})
    for task in tasks:
        mine = [cell for cell in cells if cell.task == task]
        domains = sorted({cell.domain for cell in mine})
        labels = sorted({cell.label for cell in mine})
        if len(labels) < 2:
            found.append(f"{task}: only one class, {labels[0]}; there must be two to learn")
        if len(domains) < 2:
            found.append(f"{task}: only one domain, {domains[0]}; how it carries to another cannot be judged")
        for domain in domains:
            there = {cell.label for cell in mine if cell.domain == domain}
            if lacking := [label for label in labels if label not in there]:
                found.append(f"{task}: {domain} has no {', '.join(lacking)}")
            if len(there) > 1 and _class_is_recording(recordings, task, domain):
                found.append(
                    f"{task}: in {domain} class equals recording: each class is from recordings that hold no "
                    "other, once; splits inside this domain would recognise the recording, not the class. "
                    "Record each class in two sessions, at least 5 min apart"
                )
    return found


def _class_is_recording(recordings: Sequence[Recording], task: str, domain: str) -> bool:
    """Whether every class of a domain comes from one session that holds nothing else."""
    sessions: dict[str, set[tuple[str, Path]]] = {}
    for one in recordings:
        if one.domain == domain:
            for span in one.of(task):
                sessions.setdefault(span.label, set()).add((one.session, one.path))
    alone = all(len(among) == 1 for among in sessions.values())
    shared = len({place for among in sessions.values() for place in among}) < len(sessions)
    return alone and not shared
