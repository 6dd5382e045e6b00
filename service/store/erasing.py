"""Erasing what was measured and learned in a room, while the room stays.

On SQLite erased bytes are overwritten in the file (`secure_delete`) and the write-ahead log is emptied, at
once or as soon as nobody reads what was before (`service.store.scrubbing`).
PostgreSQL gives the space back with its next VACUUM. Backups made before are the keeper's own.
"""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from models.prediction import JsonValue
from service.events import EventType, Severity
from service.state import rfc3339
from service.store.alerts import open_alerts
from service.store.audit import record
from service.store.belongings import HISTORY, LOG, of_room
from service.store.engine import Store
from service.store.log import append_event
from service.store.schema import alerts, answers, erasures, events, jobs, rooms, versions
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


def read_erasures(store: Store) -> dict[str, int]:
    """When somebody last erased the history of a room, by room."""
    with store.read() as connection:
        return {row.room: row.erased_ns for row in connection.execute(sa.select(erasures))}


def erase_history(
    connection: sa.Connection, room: str, span: Range, now_ns: int, cause: str
) -> dict[str, int]:
    """As `erase`, in the caller's transaction; every open alert of the room ends for this cause."""
    owe_scrub(connection)
    gone = {str(LOG.name): _blank(connection, room, span)}
    _clear_alerts(connection, room, now_ns, cause)
    for table, (begin, end) in HISTORY.items():
        about = of_room(room, table) & (table.c[begin] < span.to_ns) & (table.c[end] >= span.from_ns)
        if table is answers:  # what is being answered now, this erasure among it, is told when it is done
            about &= table.c.status.is_not(None)
        gone[str(table.name)] = connection.execute(sa.delete(table).where(about)).rowcount
    _refuse_orphans(connection, room)
    return gone


def _clear_alerts(connection: sa.Connection, room: str, now_ns: int, cause: str) -> None:
    """Say that open alerts are over: who follows them would wait for ever."""
    for alert in open_alerts(connection, only=room):
        names = ("alert_id", "rule", "kind", "severity", "task", "link", "source")
        facts = {name: alert.get(name) for name in names} | {"state": "cleared", "cause": cause}
        append_event(
            connection,
            EventType.ALERT_CLEARED,
            room=room,
            data={**facts, "reason": cause},
            time_ns=now_ns,
            severity=Severity(alert["severity"]),
        )
        over = sa.update(alerts).where(alerts.c.alert_id == alert["alert_id"])
        connection.execute(over.values(state="cleared", cleared_ns=now_ns))


def _refuse_orphans(connection: sa.Connection, room: str) -> None:
    """Nobody will ever end the shadow run of a version whose job went: it is refused."""
    left = (versions.c.room == room) & (versions.c.state == SHADOW)
    left &= versions.c.job.not_in(sa.select(jobs.c.job))
    connection.execute(sa.update(versions).where(left).values(state=REFUSED))


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
