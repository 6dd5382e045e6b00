"""Rooms and links as CSV tables (RFC 4180), one row each, for spreadsheets; the rest stays as it is.

Free text is guarded against being run as a formula, see `table_cells`.
"""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from service.configuration.findings import Finding
from service.configuration.table_cells import guarded, unguarded

Kind = Literal["rooms", "links"]
COLUMNS: Final[Mapping[Kind, tuple[str, ...]]] = {
    "rooms": (
        *("room", "name", "tasks", "width_m", "depth_m", "on_delay_s", "off_delay_s"),
        *("stale_after_s", "retention_days", "capacity", "tags"),
    ),
    "links": ("link", "room", "nic", "name"),
}
_FLOATS: Final = {"width_m", "depth_m", "on_delay_s", "off_delay_s", "stale_after_s"}
_WHOLE: Final = {"retention_days", "capacity"}


class TableError(ValueError):
    """The table cannot be read; `findings` say where."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__("; ".join(map(str, findings)))
        self.findings = findings


def write_table(kind: Kind, entries: Sequence[Mapping[str, Any]]) -> str:
    """The table of full room or link documents; lists are joined by `;`.

    Tags that hold one themselves are left out: an empty cell changes nothing when it is read again.
    """
    text = io.StringIO()
    rows = csv.DictWriter(text, COLUMNS[kind], lineterminator="\r\n")
    rows.writeheader()
    cells = (_room_row(one) if kind == "rooms" else one for one in entries)
    rows.writerows({name: _written(cell) for name, cell in row.items()} for row in cells)
    return text.getvalue()


def read_table(text: str, file: str) -> tuple[Kind, list[dict[str, Any]], list[int]]:
    """What the table is of, partial documents, and the line of each; an empty cell says nothing.

    Cells are separated by commas, or by semicolons, as spreadsheets of some languages write them.

    Raises:
        TableError: a column or a number cannot be read; it names every cell.
    """
    try:
        head = text.partition("\n")[0]
        between = ";" if ";" in head and "," not in head else ","
        return _read(csv.DictReader(io.StringIO(text, newline=""), restkey="", delimiter=between), file)
    except csv.Error as error:
        raise TableError([Finding(file, "table", f"not CSV: {error}")]) from error


def _read(rows: "csv.DictReader[str]", file: str) -> tuple[Kind, list[dict[str, Any]], list[int]]:
    """As `read_table`; csv.Error where it is no table at all."""
    names = [name.strip() for name in rows.fieldnames or []]
    rows.fieldnames = names
    kind: Kind = "links" if "link" in names else "rooms"
    wrong = [
        Finding(f"{file}:1", name or "(empty)", "no such column")
        for name in names
        if name not in COLUMNS[kind]
    ]
    if COLUMNS[kind][0] not in names:
        wrong.append(Finding(f"{file}:1", COLUMNS[kind][0], f"a table of {kind} has this column"))
    if wrong:
        raise TableError(wrong)
    found, lines = [], []
    for row in rows:
        where = f"{file}:{rows.line_num}"
        if "" in row:
            wrong.append(Finding(where, "row", "it has more cells than the first line"))
            continue
        cells = {name: unguarded(cell) for name, cell in row.items() if cell and cell.strip()}
        found.append(_entry(kind, cells, where, wrong))
        lines.append(rows.line_num)
    if wrong:
        raise TableError(wrong)
    return kind, found, lines


def _written(cell: object) -> object:
    return guarded(cell) if isinstance(cell, str) else cell


def _room_row(room: Mapping[str, Any]) -> dict[str, Any]:
    size = room["size_m"] or ("", "")
    text = ";".join(f"{name}={value}" for name, value in room["tags"].items())
    return {
        **{name: room[name] for name in ("room", "name", "stale_after_s", "retention_days", "capacity")},
        "tasks": ";".join(room["tasks"]),
        "width_m": size[0],
        "depth_m": size[1],
        **room["presence"],
        "tags": text if _tags(text) == room["tags"] else "",
    }


def _tags(text: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in text.split(";") if part)
    return {name.strip(): value.strip() for name, _, value in pairs}


def _entry(kind: Kind, cells: Mapping[str, str], where: str, wrong: list[Finding]) -> dict[str, Any]:
    values: dict[str, Any] = {name: _number(name, cell, where, wrong) for name, cell in cells.items()}
    if kind == "links":
        return values
    entry = {name: value for name, value in values.items() if name not in _FLOATS | {"tasks", "tags"}}
    if "stale_after_s" in values:
        entry["stale_after_s"] = values["stale_after_s"]
    if "tasks" in values:
        entry["tasks"] = [part.strip() for part in values["tasks"].split(";")]
    if "tags" in values:
        entry["tags"] = _tags(values["tags"])
    if {"width_m", "depth_m"} <= set(values):
        entry["size_m"] = [values["width_m"], values["depth_m"]]
    elif {"width_m", "depth_m"} & set(values):
        wrong.append(Finding(where, "width_m, depth_m", "give both or none"))
    delays = {name: values[name] for name in ("on_delay_s", "off_delay_s") if name in values}
    return {**entry, "presence": delays} if delays else entry


def _number(name: str, cell: str, where: str, wrong: list[Finding]) -> float | int | str:
    try:
        if name in _FLOATS:
            return float(cell)
        return int(cell) if name in _WHOLE else cell
    except ValueError:
        wrong.append(Finding(where, name, f"a number is needed, not {cell[:40]!r}"))
        return 0
