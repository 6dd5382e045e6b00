"""EDE files (Engineering Data Exchange, layout 2.3 of the B.I.G.-EU), which engineering tools import.

Two files: the objects of the device, and the texts of their states. Semicolons, CRLF, UTF-8.
"""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from service.outlets.bacnet.layout import ALARM, ALARM_TEXTS, OCCUPANCY, OCCUPANCY_TEXTS, PEOPLE, Entry

COLUMNS: Final = (
    "keyname",
    "device obj.-instance",
    "object-name",
    "object-type",
    "object-instance",
    "description",
    "present-value-default",
    "min-present-value",
    "max-present-value",
    "settable",
    "supports COV",
    "hi-limit",
    "low-limit",
    "state-text-reference",
    "unit-code",
    "vendor-specific-address",
)
_MANDATORY: Final = 5
_NO_UNITS: Final = 95  # BACnetEngineeringUnits
_DEVICE_TYPE: Final = 8  # BACnetObjectType
_STATE_TEXTS: Final = {OCCUPANCY: 1, ALARM: 2}
"""Number of an object's texts in the second file."""


def objects_file(
    entries: Iterable[Entry], *, device: int, name: str, revision: int, project: str, made: datetime
) -> str:
    """The first file: the device `name` and its objects.

    Args:
        entries: the objects of rooms.
        device: instance of the device.
        name: Object_Name of the device.
        revision: Database_Revision, as the version of the file.
        project: what the file is about.
        made: time of the last change.
    """
    rows: list[Sequence[object]] = [
        ["#Engineering-Data-Exchange - B.I.G.-EU"],
        ["PROJECT_NAME", _text(project)],
        ["VERSION_OF_REFERENCEFILE", revision],
        ["TIMESTAMP_OF_LAST_CHANGE", made.date().isoformat()],
        ["AUTHOR_OF_LAST_CHANGE", "Roomtone"],
        ["VERSION_OF_LAYOUT", "2.3"],
        [f"{'#' * (at == 0)}{'mandatory' if at < _MANDATORY else 'optional'}" for at in range(len(COLUMNS))],
        [f"# {COLUMNS[0]}", *COLUMNS[1:]],
        _row(device, _text(name), _DEVICE_TYPE, device, "", covers=False),
    ]
    rows += [_entry_row(entry, device) for entry in entries]
    return _csv(rows)


def texts_file() -> str:
    """The second file: texts of states, by the number that the first one names."""
    texts = {1: OCCUPANCY_TEXTS, 2: ALARM_TEXTS}
    head = ["#Reference Number", "Text 1 or Inactive-Text", "Text 2 or Active-Text", "Text 3", "Text 4"]
    return _csv([["#State Text Reference"], head, *([number, *words] for number, words in texts.items())])


def _entry_row(entry: Entry, device: int) -> Sequence[object]:
    kind = entry.kind
    return _row(
        device,
        entry.name,
        kind.type_number,
        entry.number,
        _text(entry.description),
        least={PEOPLE: 0, ALARM: 1}.get(kind, ""),
        most={ALARM: len(ALARM_TEXTS)}.get(kind, ""),
        texts=_STATE_TEXTS.get(kind, ""),
        unit=_NO_UNITS if kind is PEOPLE else "",
    )


def _row(
    device: int,
    name: str,
    type_number: int,
    instance: int,
    description: str,
    *,
    covers: bool = True,
    least: object = "",
    most: object = "",
    texts: object = "",
    unit: object = "",
) -> Sequence[object]:
    key = f"{device}_{type_number}_{instance}"
    cov = "Y" if covers else "N"
    facts = [key, device, name, type_number, instance, description, "", least, most, "N", cov]
    return [*facts, "", "", texts, unit, ""]


def _text(text: str) -> str:
    """On one line, and no formula for the spreadsheet that people open the file with."""
    line = re.sub(r"[\x00-\x1f\x7f]+", " ", text)
    return f"'{line}" if line[:1] in {"=", "+", "-", "@"} else line


def _csv(rows: Iterable[Sequence[object]]) -> str:
    written = io.StringIO()
    csv.writer(written, delimiter=";", lineterminator="\r\n").writerows(rows)
    return written.getvalue()
