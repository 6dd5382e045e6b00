"""`dataset.toml`: which recordings a folder of one's own holds (docs/recording.md explains every key)."""

import datetime as dt
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from models.errors import DatasetError

FILE = "dataset.toml"
SCHEMA = 1
_NEEDED = ("file", "nic", "domain", "session", "day", "licence")


@dataclass(frozen=True, slots=True)
class Span:
    """A label of one task, for all of a recording or for seconds of it."""

    task: str
    label: str
    from_s: float = 0.0
    to_s: float = float("inf")


@dataclass(frozen=True, slots=True)
class Recording:
    """One recording and what is known of it; `where` names its entry in errors."""

    path: Path
    nic: str
    domain: str
    session: str
    person: str
    day: str
    licence: str
    spans: tuple[Span, ...]
    where: str

    def of(self, task: str) -> list[Span]:
        """Its labels of one task."""
        return [span for span in self.spans if span.task == task]


def read_manifest(folder: Path) -> list[Recording]:
    """Recordings that the folder's `dataset.toml` lists, in order.

    Raises:
        DatasetError: it is not there, no TOML, of another schema, lists a file that is not there or twice,
            lacks a key, or gives one task two labels at a time.
    """
    path = folder / FILE
    document = _document(path)
    entries = document.get("recording", [])
    if not isinstance(entries, list) or not entries:
        raise DatasetError(f"{path} lists no recording: add [[recording]] tables, or use `roomtone record`")
    found = [_recording(folder, entry, f"{path}, recording {n + 1}") for n, entry in enumerate(entries)]
    names = [one.path for one in found]
    for one in found:
        if names.count(one.path) > 1:
            raise DatasetError(f"{one.where}: {one.path.name} is listed twice")
    return found


def _document(path: Path) -> dict[str, Any]:
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DatasetError(f"{path} does not exist; `roomtone record` writes one") from error
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"cannot read {path}: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise DatasetError(f"{path} is no TOML: {error}") from error
    if document.get("schema") != SCHEMA:
        raise DatasetError(f"{path} is of schema {document.get('schema')!r}, this program knows {SCHEMA}")
    return document


def _recording(folder: Path, entry: Any, where: str) -> Recording:  # noqa: ANN401 - whatever TOML holds
    if not isinstance(entry, dict):
        raise DatasetError(f"{where} is no table: write [[recording]]")
    missing = [key for key in _NEEDED if key not in entry]
    if missing:
        raise DatasetError(f"{where}: {', '.join(missing)} is missing")
    path = folder / _text(entry, "file", where)
    if not path.resolve().is_relative_to(folder.resolve()):
        raise DatasetError(f"{where}: file {entry['file']!r} lies outside the folder")
    if not path.is_file():
        raise DatasetError(f"{where}: there is no file {entry['file']!r}")
    spans = (*_whole(entry, where), *_intervals(entry, where))
    _check_apart(spans, where)
    return Recording(
        path=path,
        nic=_text(entry, "nic", where),
        domain=_text(entry, "domain", where),
        session=_text(entry, "session", where),
        person=_text(entry, "person", where) if "person" in entry else "",
        day=_day(entry["day"], where),
        licence=_text(entry, "licence", where),
        spans=spans,
        where=where,
    )


def _text(entry: Mapping[str, Any], key: str, where: str) -> str:
    value = entry[key]
    if not isinstance(value, str) or not value.strip():
        raise DatasetError(f"{where}: {key} must be a text, not {value!r}")
    return value


def _day(value: Any, where: str) -> str:  # noqa: ANN401
    if isinstance(value, dt.date):
        return value.isoformat()[:10]
    raise DatasetError(f"{where}: day must be a date such as 2026-11-21, not {value!r}")


def _whole(entry: Mapping[str, Any], where: str) -> list[Span]:
    labels = entry.get("labels", {})
    if not isinstance(labels, dict) or not all(isinstance(one, str) for one in labels.values()):
        raise DatasetError(f'{where}: labels must be texts by task, such as {{ presence = "vacant" }}')
    return [Span(task, label) for task, label in labels.items()]


def _intervals(entry: Mapping[str, Any], where: str) -> list[Span]:
    spans = []
    for number, one in enumerate(entry.get("interval", [])):
        place = f"{where}, interval {number + 1}"
        try:
            span = Span(str(one["task"]), str(one["label"]), float(one["from_s"]), float(one["to_s"]))
        except (KeyError, TypeError, ValueError) as error:
            raise DatasetError(f"{place} needs task, label, from_s and to_s: {error}") from error
        if not 0 <= span.from_s < span.to_s:
            raise DatasetError(f"{place} goes from {span.from_s:g} s to {span.to_s:g} s")
        spans.append(span)
    return spans


def _check_apart(spans: tuple[Span, ...], where: str) -> None:
    for at, one in enumerate(spans):
        for other in spans[at + 1 :]:
            if one.task == other.task and one.from_s < other.to_s and other.from_s < one.to_s:
                raise DatasetError(f"{where}: {one.task} is {one.label} and {other.label} at the same time")
