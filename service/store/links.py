"""Links: which sender belongs to which room."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from models.prediction import JsonValue
from service.store.audit import change, record
from service.store.engine import Store
from service.store.rooms import note_changed
from service.store.schema import links

Check = Callable[["LinkRecord | None"], None]
"""Called inside the transaction with the link as it stands; what it raises rolls everything back."""


@dataclass(frozen=True, slots=True)
class LinkRecord:
    """A link as the store holds it; `room` None means it is known but belongs to no room."""

    link: str
    room: str | None
    nic: str
    revision: int
    doc: dict[str, Any]
    last_capture_ns: int | None

    @property
    def etag(self) -> str:
        """Entity tag of the configured part."""
        return f'"{self.revision}"'


def list_links(store: Store, *, room: str | None = None) -> list[LinkRecord]:
    """All links by name, or those of one room."""
    query = sa.select(links).order_by(links.c.link)
    if room is not None:
        query = query.where(links.c.room == room)
    with store.read() as connection:
        return [_record(row) for row in connection.execute(query).mappings()]


def get_link(store: Store, link: str) -> LinkRecord | None:
    """The link of that name."""
    with store.read() as connection:
        return _select(connection, link)


def put_link(
    store: Store, link: str, *, room: str | None, nic: str, doc: dict[str, Any], check: Check, actor: str
) -> tuple[LinkRecord, bool]:
    """Create the link or replace what is configured of it; also whether it is new."""
    with store.write() as connection:
        return write_link(connection, link, room=room, nic=nic, doc=doc, check=check, actor=actor)


def write_link(
    connection: sa.Connection,
    link: str,
    *,
    room: str | None,
    nic: str,
    doc: dict[str, Any],
    check: Check,
    actor: str,
) -> tuple[LinkRecord, bool]:
    """As `put_link`, in the caller's transaction."""
    now = time.time_ns()
    before = _select(connection, link)
    check(before)
    row: dict[str, Any] = {"room": room, "nic": nic, "doc": doc, "updated_ns": now}
    if before is None:
        connection.execute(sa.insert(links).values(link=link, revision=1, created_ns=now, **row))
    else:
        update = sa.update(links).where(links.c.link == link)
        connection.execute(update.values(revision=before.revision + 1, **row))
    after = _record(connection.execute(sa.select(links).where(links.c.link == link)).mappings().one())
    detail = change(_facts(before), _facts(after))
    record(connection, actor=actor, action="link.changed", target=link, detail=detail)
    rooms = [None if before is None else before.room, after.room]
    if rooms[0] != rooms[1]:
        note_changed(connection, rooms)
    return after, before is None


def delete_link(store: Store, link: str, *, check: Check, actor: str) -> None:
    """Forget the link; `check` refuses one that is not there."""
    with store.write() as connection:
        before = _select(connection, link)
        check(before)
        connection.execute(sa.delete(links).where(links.c.link == link))
        record(
            connection, actor=actor, action="link.deleted", target=link, detail=change(_facts(before), None)
        )
        note_changed(connection, [None if before is None else before.room])


def _facts(link: LinkRecord | None) -> dict[str, JsonValue] | None:
    """What an admin configures of a link."""
    return None if link is None else {"room": link.room, "nic": link.nic, "name": link.doc.get("name", "")}


def _select(connection: sa.Connection, link: str) -> LinkRecord | None:
    row = connection.execute(sa.select(links).where(links.c.link == link)).mappings().first()
    return None if row is None else _record(row)


def _record(row: sa.RowMapping) -> LinkRecord:
    return LinkRecord(
        link=row["link"],
        room=row["room"],
        nic=row["nic"],
        revision=row["revision"],
        doc=row["doc"],
        last_capture_ns=row["last_capture_ns"],
    )
