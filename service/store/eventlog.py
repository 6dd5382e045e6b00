"""Reading the one numbered event log."""

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from service.events import ABOUT_ALL_ROOMS
from service.store.engine import Store
from service.store.schema import events, site

FORGOTTEN = "events.forgotten"
"""In the table `site`: number of the newest event that retention deleted."""
LEFT_OUT = "events.left_out"
"""In the table `site`: [before, last] of each stretch of numbers that a restore left out."""


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """One row of the log."""

    sequence: int
    time_ns: int
    type: str
    room: str | None
    severity: str | None
    data: dict[str, Any]


@dataclass(frozen=True, slots=True)
class EventPage:
    """Events after a number, in order.

    `next_after` is where to go on. `complete` is False where events after the number asked for are gone:
    older than retention, or the number is from another store, or from after the backup that was restored.
    """

    events: list[StoredEvent]
    next_after: int
    complete: bool


def read_events(
    store: Store,
    *,
    after: int,
    limit: int,
    types: Collection[str] | None = None,
    rooms: Collection[str] | None = None,
) -> EventPage:
    """Up to `limit` events with a number above `after`, of these types and rooms (None: all).

    What is about all rooms is about these too.
    """
    query = sa.select(events).where(events.c.sequence > after).order_by(events.c.sequence).limit(limit)
    if types is not None:
        query = query.where(events.c.type.in_(types))
    if rooms is not None:
        query = query.where(events.c.room.in_(rooms) | events.c.type.in_(ABOUT_ALL_ROOMS))
    with store.read() as connection:
        newest = head(connection)
        found = [_event(row) for row in connection.execute(query).mappings()]
        complete = _reaches(connection, after, newest)
    if len(found) == limit:
        return EventPage(found, found[-1].sequence, complete)
    return EventPage(found, newest, complete)


def read_last(store: Store, *, after: int, up_to: int, limit: int) -> list[StoredEvent]:
    """The newest `limit` events with a number above `after` and not above `up_to`, in order."""
    query = (
        sa.select(events)
        .where(events.c.sequence > after, events.c.sequence <= up_to)
        .order_by(events.c.sequence.desc())
        .limit(limit)
    )
    with store.read() as connection:
        found = [_event(row) for row in connection.execute(query).mappings()]
    return found[::-1]


def head(connection: sa.Connection) -> int:
    """Number of the newest event ever appended, even if retention deleted it; 0 before the first."""
    newest = connection.execute(sa.select(sa.func.max(events.c.sequence))).scalar()
    return int(newest or forgotten(connection))


def forgotten(connection: sa.Connection) -> int:
    """Number of the newest event that retention deleted, and all before it; 0 if none was."""
    return int(connection.execute(sa.select(site.c.value).where(site.c.key == FORGOTTEN)).scalar() or 0)


def forget(connection: sa.Connection, up_to: int) -> int:
    """Delete events up to this number, in the caller's write transaction; how many there were."""
    before = forgotten(connection)
    if up_to <= before:
        return 0
    connection.execute(sa.delete(site).where(site.c.key == FORGOTTEN))
    connection.execute(sa.insert(site).values(key=FORGOTTEN, value=up_to))
    return connection.execute(sa.delete(events).where(events.c.sequence <= up_to)).rowcount


def leave_out(connection: sa.Connection, before: int, last: int) -> None:
    """Numbers above `before`, to `last`, may have been given to events that are not here; they stay free."""
    gaps = [*_left_out(connection), [before, last]]
    connection.execute(sa.delete(site).where(site.c.key == LEFT_OUT))
    connection.execute(sa.insert(site).values(key=LEFT_OUT, value=gaps))


def read_head(store: Store) -> int:
    """As `head`, in a transaction of its own."""
    with store.read() as connection:
        return head(connection)


def site_id(store: Store) -> str:
    """The random name of this site's store: with an event's number it names the event in all the world."""
    query = sa.select(site.c.value).where(site.c.key == "id")
    with store.read() as connection:
        known = connection.execute(query).scalar()
    if known is None:
        with store.write() as connection:
            known = connection.execute(query).scalar()
            if known is None:
                known = secrets.token_hex(8)
                connection.execute(sa.insert(site).values(key="id", value=known))
    return str(known)


def _reaches(connection: sa.Connection, after: int, newest: int) -> bool:
    """Whether every event after that number is still there; numbers may have holes where a write failed.

    A number that a restore left out was heard of before it: what is here now is another course of events.
    """
    if any(before < after <= last for before, last in _left_out(connection)):
        return False
    return forgotten(connection) <= after <= newest


def _left_out(connection: sa.Connection) -> list[list[int]]:
    return connection.execute(sa.select(site.c.value).where(site.c.key == LEFT_OUT)).scalar() or []


def _event(row: sa.RowMapping) -> StoredEvent:
    return StoredEvent(
        row["sequence"], row["time_ns"], row["type"], row["room"], row["severity"], row["data"]
    )
