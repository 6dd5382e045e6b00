"""`dataset.toml`: which recordings a folder holds, and what is known of each (see docs/recording.md).

The file is made for people too: a recording is added behind what is there, whose words and comments stay.
"""

import fcntl
import json
import os
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from service.errors import ServiceError
from service.recording.labels import Label

NAME = "dataset.toml"
SCHEMA = 1


class DatasetError(ServiceError):
    """`dataset.toml` cannot be read or extended."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One recording. `started_ns` is Unix time; empty `person` and `notes` are left out."""

    file: str
    nic: str
    labels: Sequence[Label]
    domain: str
    session: str
    person: str
    licence: str
    notes: str
    started_ns: int
    seconds: float
    frames: int

    def toml(self) -> str:
        """The entry as `dataset.toml` holds it."""
        started = datetime.fromtimestamp(self.started_ns / 1e9, UTC)
        whole = {label.task: label.label for label in self.labels if label.end_s is None}
        facts = {
            "file": _text(self.file),
            "nic": _text(self.nic),
            "labels": "{ " + ", ".join(f"{task} = {_text(label)}" for task, label in whole.items()) + " }",
            "domain": _text(self.domain),
            "session": _text(self.session),
            "person": self.person and _text(self.person),
            "day": started.astimezone().date().isoformat(),
            "licence": _text(self.licence),
            "started": f"{started:%Y-%m-%dT%H:%M:%S}.{started.microsecond // 1000:03d}Z",
            "seconds": f"{self.seconds:.3f}",
            "frames": str(self.frames),
            "notes": self.notes and _text(self.notes),
        }
        if not whole:
            del facts["labels"]
        lines = ["[[recording]]", *(f"{name} = {value}" for name, value in facts.items() if value)]
        for part in self.labels:
            if part.end_s is not None:
                lines += ["", "[[recording.interval]]", f"task = {_text(part.task)}"]
                lines += [f"label = {_text(part.label)}", f"from_s = {part.start_s}", f"to_s = {part.end_s}"]
        return "\n".join(lines) + "\n"


def _text(value: str) -> str:
    """A TOML basic string; it escapes as JSON does, and DEL besides."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def read_dataset(folder: Path) -> list[dict[str, Any]]:
    """The recordings that the folder's `dataset.toml` lists; none where there is no such file.

    Raises:
        DatasetError: it cannot be read, is no TOML, or of another schema.
    """
    return _recordings(folder, _read(folder))


def add_recording(folder: Path, entry: Entry) -> None:
    """Add a recording to the folder's `dataset.toml`; one that is listed already stays as it is.

    Safe beside other processes that do the same, and against being killed half-way.

    Raises:
        DatasetError: as `read_dataset`, or it cannot be written.
    """
    with _alone(folder):
        text = _read(folder)
        if any(known.get("file") == entry.file for known in _recordings(folder, text)):
            return
        text = text.rstrip("\n") + "\n\n" if text.strip() else f"schema = {SCHEMA}\n\n"
        fresh = folder / f".{NAME}.new"
        try:
            with fresh.open("w", encoding="utf-8") as file:
                file.write(text + entry.toml())
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(folder / NAME)
        except OSError as error:
            fresh.unlink(missing_ok=True)
            raise DatasetError(f"cannot write {folder / NAME}: {error.strerror or error}") from error


def _read(folder: Path) -> str:
    path = folder / NAME
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"cannot read {path}: {error}") from error


def _recordings(folder: Path, text: str) -> list[dict[str, Any]]:
    path = folder / NAME
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise DatasetError(f"{path} is no TOML: {error}; repair it first") from error
    if text.strip() and document.get("schema") != SCHEMA:
        raise DatasetError(f"{path} is of schema {document.get('schema')!r}, this program knows {SCHEMA}")
    recordings = document.get("recording", [])
    if not isinstance(recordings, list) or not all(isinstance(one, dict) for one in recordings):
        raise DatasetError(f"{path}: `recording` must be a list of tables, [[recording]]")
    return recordings


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Hold the folder against other recorders."""
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
    finally:
        os.close(file)
