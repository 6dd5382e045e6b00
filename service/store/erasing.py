"""Erasing what was measured and learned in a room, while the room stays.

On SQLite erased bytes are overwritten in the file (`secure_delete`) and the write-ahead log is emptied, at
once or as soon as nobody reads what was before (`service.store.scrubbing`).
PostgreSQL gives the space back with its next VACUUM. Backups made before are the keeper's own.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from models.prediction import JsonValue
from service.events import EventType, Severity
from service.state import rfc3339
from service.store.alerts import OPEN, alert_item
from service.store.audit import record
from service.store.belongings import HISTORY, LOG, of_room
from service.store.engine import Store
from service.store.log import append_event
from service.store.schema import (
    activations,
    alerts,
    answers,
    erasures,
    events,
    jobs,
    rooms,
    screenings,
    versions,
)
from service.store.scrubbing import owe_scrub
from service.store.versions import REFUSED, SHADOW

_DAY_NS: Final = 86_400_000_000_000


@dataclass(frozen=True, slots=True)
class Range:
    """[from_ns, to_ns): what touches it is erased. Windows and samples count by their capture time."""

    from_ns: int = 0
    to_ns: int = 2**63 - 1


def erase(store: Store, room: str, span: Range, *, actor: str) -> dict[str, int] | None:
    """Erase the room's history in the range; rows by table, None if there is no such room."""
    now = time.time_ns()
    with store.write() as connection:
        if connection.execute(sa.select(rooms.c.room).where(rooms.c.room == room)).first() is None:
            return None
        gone = erase_history(connection, room, span, now, "room_erased")
        connection.execute(sa.delete(erasures).where(erasures.c.room == room))
        connection.execute(sa.insert(erasures).values(room=room, erased_ns=now))
        whole = span == Range()
        detail: dict[str, JsonValue] = {
            "from": None if whole else rfc3339(span.from_ns),
            "to": None if whole else rfc3339(min(span.to_ns, now)),
            "rows": {**gone},
        }
        record(connection, actor=actor, action="room.erased", target=room, detail=detail)
    store.scrub()
    return gone


class Beginning(NamedTuple):
    """When a room was made, and when somebody last erased its history (0: nobody did).

    A room that was deleted and made again is another one under the same name.
    """

    made_ns: int
    erased_ns: int = 0


def read_beginnings(store: Store) -> dict[str, Beginning]:
    """Since when what is stored of each room is stored."""
    with store.read() as connection:
        return select_beginnings(connection)


def select_beginnings(connection: sa.Connection, *, only: str | None = None) -> dict[str, Beginning]:
    """As `read_beginnings`, in the caller's transaction, of all rooms or of the one named `only`."""
    query = sa.select(rooms.c.room, rooms.c.created_ns, sa.func.coalesce(erasures.c.erased_ns, 0))
    query = query.outerjoin(erasures, erasures.c.room == rooms.c.room)
    found = connection.execute(query if only is None else query.where(rooms.c.room == only))
    return {room: Beginning(made_ns, erased_ns) for room, made_ns, erased_ns in found}


def erase_history(
    connection: sa.Connection, room: str, span: Range, now_ns: int, cause: str
) -> dict[str, int]:
    """As `erase`, in the caller's transaction; alerts that stand in the range end for this cause."""
    owe_scrub(connection)
    gone = {str(LOG.name): _blank(connection, room, span)}
    _end_alerts(connection, room, span, now_ns, cause)
    for table, (begin, end) in HISTORY.items():
        touched: sa.ColumnElement[bool] = (table.c[begin] < span.to_ns) & (table.c[end] >= span.from_ns)
        if table is answers:  # what is being answered now, this erasure among it, is told when it is done
            touched &= table.c.status.is_not(None)
        if table is activations:  # the order of versions that stay is needed to roll back
            touched = table.c.version.not_in(sa.select(versions.c.version))
        about = of_room(room, table) & touched
        gone[str(table.name)] = connection.execute(sa.delete(table).where(about)).rowcount
    _refuse_orphans(connection, room)
    return gone


def _refuse_orphans(connection: sa.Connection, room: str) -> None:
    """Nobody will ever end the shadow run of a version whose job went: it is refused."""
    left = (versions.c.room == room) & (versions.c.state == SHADOW)
    left &= versions.c.job.not_in(sa.select(jobs.c.job))
    connection.execute(sa.update(versions).where(left).values(state=REFUSED))


def _end_alerts(connection: sa.Connection, room: str, span: Range, now_ns: int, cause: str) -> None:
    """End what is open in the range, with its walk: it is about all time until now, and so it is erased.

    The end is told: who follows such an alert would wait for ever.
    """
    if span.from_ns > now_ns:
        return
    standing = of_room(room, alerts) & alerts.c.state.in_(OPEN) & (alerts.c.raised_ns < span.to_ns)
    found = connection.execute(sa.select(alerts).where(standing)).mappings().all()
    for row in found:
        _tell_end(connection, alert_item(row), now_ns, cause)
    connection.execute(sa.update(alerts).where(standing).values(holds=False, updated_ns=now_ns))
    walks = screenings.c.alert_id.in_([row["alert_id"] for row in found])
    connection.execute(sa.delete(screenings).where(walks))


def _tell_end(connection: sa.Connection, alert: Mapping[str, Any], now_ns: int, cause: str) -> None:
    names = ("alert_id", "rule", "kind", "severity", "task", "link", "source")
    facts = {name: alert.get(name) for name in names} | {"state": "cleared", "cause": cause}
    append_event(
        connection,
        EventType.ALERT_CLEARED,
        room=alert["room"],
        data={**facts, "reason": cause},
        time_ns=now_ns,
        severity=Severity(alert["severity"]),
    )


def _blank(connection: sa.Connection, room: str, span: Range) -> int:
    """Events keep number, day, room and whether frames were live; type, time, severity and data are gone.

    The day stays because retention takes the log from its old end, by time.
    """
    about = of_room(room, events) & (events.c.time_ns >= span.from_ns) & (events.c.time_ns < span.to_ns)
    about &= events.c.type != EventType.ROOM_ERASED
    source = events.c.data["source"].as_string()
    day = events.c.time_ns - events.c.time_ns % _DAY_NS
    blank: Mapping[str, object] = {"type": EventType.ROOM_ERASED, "severity": None, "time_ns": day}
    count = 0
    for kind in connection.execute(sa.select(source).where(about).distinct()).scalars().all():
        kept = {"room": room} | ({} if kind is None else {"source": kind})
        these = about & (source.is_(None) if kind is None else source == kind)
        count += connection.execute(sa.update(events).where(these).values(data=kept, **blank)).rowcount
    return count
