"""The site in Project Haystack 4 (project-haystack.org) as a grid of entities in its JSON encoding."""

import re
from typing import Any, Final

from service.semantic.site import Site, label, markers, other_tags
from service.store.rooms import RoomRecord

_MARKER: Final = {"_kind": "marker"}
_NAME: Final = re.compile(r"[a-z][A-Za-z0-9_]*")
_POINTS: Final[dict[str, dict[str, Any]]] = {
    "presence": {"occupied": _MARKER, "kind": "Bool", "enum": "vacant,occupied"},
    "counting": {"occupancy": _MARKER, "kind": "Number"},
}
"""Further tags of a task's point; tasks that Haystack has no word for are told by their value's name."""


def grid(site: Site) -> dict[str, Any]:
    """All entities: the site, its rooms, and a point for every task of a room."""
    rows = [{"id": _ref(site.site), "dis": f"Roomtone site {site.site}", "site": _MARKER}]
    for record in site.rooms:
        rows.append(_room(site, record))
        rows += [_point(site, record, task) for task in record.config.tasks]
    columns = dict.fromkeys(name for row in rows for name in row)
    return {
        "_kind": "grid",
        "meta": {"ver": "3.0"},
        "cols": [{"name": name} for name in columns],
        "rows": rows,
    }


def _room(site: Site, record: RoomRecord) -> dict[str, Any]:
    """A room; its own tags never stand in place of ours."""
    own = {name: value for name, value in other_tags(record.config) if _NAME.fullmatch(name)}
    row: dict[str, Any] = {**own, **dict.fromkeys(markers(record.config), _MARKER)}
    if record.config.capacity is not None:
        row["capacity"] = record.config.capacity
    return {
        **row,
        "id": _ref(site.site, record.room),
        "dis": label(record),
        "space": _MARKER,
        "room": _MARKER,
        "siteRef": _ref(site.site),
    }


def _point(site: Site, record: RoomRecord, task: str) -> dict[str, Any]:
    row = {
        "id": _ref(site.site, record.room, task),
        "dis": f"{label(record)}: {task}",
        "point": _MARKER,
        "sensor": _MARKER,
        "siteRef": _ref(site.site),
        "spaceRef": _ref(site.site, record.room),
        "roomtoneTask": task,
        **_POINTS.get(task, {"kind": "Str"}),
    }
    entry = site.entries.get((record.room, task))
    if entry is None or site.device is None:
        return row
    return {
        **row,
        "bacnetDevice": site.device.instance,
        "bacnetObject": f"{entry.kind.object_type},{entry.number}",
    }


def _ref(*names: str) -> dict[str, str]:
    """A reference; names of ours hold only characters that Haystack allows in one."""
    return {"_kind": "ref", "val": ":".join(names)}
