"""Secondary screenings: of whom a suspicious-object alert speaks is searched, and what was found is a label.

METHODS #15. An item is open until its outcome is told; the walk it is about is a span of capture time.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from models.prediction import JsonValue
from service.rooms.alerting.alert import Alert
from service.state import rfc3339
from service.store.audit import record
from service.store.engine import Store
from service.store.schema import screenings

OPEN, CLOSED = "open", "closed"


@dataclass(frozen=True, slots=True)
class Screening:
    """An item. `from_ns` and `to_ns`: the walk, capture time; `to_ns` None: it is not over."""

    screening: str
    alert_id: str
    room: str
    state: str
    from_ns: int | None
    to_ns: int | None
    opened_ns: int
    closed_ns: int | None
    found: str | None
    actor: str | None
    doc: dict[str, Any]


def screening_id(alert_id: str) -> str:
    """Id of the item that an alert opens."""
    return f"scr-{alert_id}"


def open_screening(
    connection: sa.Connection, alert: Alert, data: Mapping[str, JsonValue], time_ns: int
) -> None:
    """Open the item of an alert that is raised; a model that knows of walks says which one it is about."""
    from_ns, to_ns = walk_of(data) or (alert.from_ns, None)
    row: dict[str, Any] = {
        "screening": screening_id(alert.alert_id),
        "alert_id": alert.alert_id,
        "room": alert.room,
        "state": OPEN,
        "from_ns": from_ns,
        "to_ns": to_ns,
        "opened_ns": time_ns,
        "doc": {},
    }
    connection.execute(sa.insert(screenings).values(row))


def walk_of(data: Mapping[str, JsonValue]) -> tuple[int, int] | None:
    """The walk that a state of suspicious objects speaks of, capture time."""
    after = data.get("after")
    walk = after.get("walk") if isinstance(after, dict) else None
    if not isinstance(walk, dict):
        return None
    return round(float(str(walk["from_s"])) * 1e9), round(float(str(walk["to_s"])) * 1e9)


def end_walk(connection: sa.Connection, alert_id: str, to_ns: int | None) -> None:
    """The alert is over: so is what it was about, unless the walk's end is known."""
    this = (screenings.c.alert_id == alert_id) & screenings.c.to_ns.is_(None)
    connection.execute(sa.update(screenings).where(this).values(to_ns=to_ns))


def get_screening(store: Store, screening: str) -> Screening | None:
    """The item of that id."""
    query = sa.select(screenings).where(screenings.c.screening == screening)
    with store.read() as connection:
        row = connection.execute(query).mappings().first()
    return None if row is None else Screening(**row)


def screening_page(
    store: Store, *, state: str | None, room: str | None, limit: int, before: tuple[int, str] | None
) -> tuple[list[Screening], tuple[int, str] | None]:
    """Items, newest first, and where to go on (None at the end)."""
    table = screenings.c
    query = sa.select(screenings).order_by(table.opened_ns.desc(), table.screening.desc()).limit(limit + 1)
    if state is not None:
        query = query.where(table.state == state)
    if room is not None:
        query = query.where(table.room == room)
    if before is not None:
        query = query.where(sa.tuple_(table.opened_ns, table.screening) < before)
    with store.read() as connection:
        found = [Screening(**row) for row in connection.execute(query).mappings()]
    page = found[:limit]
    return page, (page[-1].opened_ns, page[-1].screening) if len(found) > limit else None


def close(store: Store, screening: str, found: str, *, actor: str) -> bool:
    """Write what was found down, once; False if it was told before."""
    this = (screenings.c.screening == screening) & (screenings.c.state == OPEN)
    told = {"state": CLOSED, "found": found, "actor": actor, "closed_ns": time.time_ns()}
    with store.write() as connection:
        row = connection.execute(
            sa.update(screenings).where(this).values(told).returning(screenings.c.room, screenings.c.alert_id)
        ).one_or_none()
        if row is None:
            return False
        detail: dict[str, JsonValue] = {"screening": screening, "alert_id": row.alert_id, "found": found}
        record(connection, actor=actor, action="screening.closed", target=row.room, detail=detail)
    return True


def note_outcome(store: Store, screening: str, outcome: Mapping[str, JsonValue]) -> None:
    """What became of the label."""
    with store.write() as connection:
        update = sa.update(screenings).where(screenings.c.screening == screening)
        connection.execute(update.values(doc=dict(outcome)))


def document(one: Screening) -> dict[str, Any]:
    """The item as the API shows it."""
    return {
        "id": one.screening,
        "alert_id": one.alert_id,
        "room": one.room,
        "state": one.state,
        "found": one.found,
        "from": None if one.from_ns is None else rfc3339(one.from_ns),
        "to": None if one.to_ns is None else rfc3339(one.to_ns),
        "opened_at": rfc3339(one.opened_ns),
        "closed_at": None if one.closed_ns is None else rfc3339(one.closed_ns),
        "actor": one.actor,
        "sample": one.doc.get("sample"),
        "reason": one.doc.get("reason"),
    }
