"""Rooms, links and alert rules as one document: read from the store, compared, and brought in all at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from service.configuration.site_document import LinkEntry, RoomEntry, SiteDocument
from service.rooms.config import STORED, RoomConfig
from service.store.alert_rules import read_documents, readable, write_rules
from service.store.engine import Store
from service.store.links import write_link
from service.store.rooms import select_rooms, write_room
from service.store.schema import links

ACTOR = "config import"


@dataclass(frozen=True, slots=True)
class Difference:
    """One room, link or rule that differs; `before` None: it is new; `after` None: only the store has it."""

    kind: Literal["room", "link", "alert rule"]
    name: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None


def read_site(store: Store) -> SiteDocument:
    """What the store holds."""
    with store.read() as connection:
        return _read(connection)


def differences(held: SiteDocument, wanted: SiteDocument) -> list[Difference]:
    """What differs between store and document, in the document's order; what the store alone has is last."""
    found: list[Difference] = []
    for kind, before, after in (
        ("room", _by_name(held.rooms, "room"), _by_name(wanted.rooms, "room")),
        ("link", _by_name(held.links, "link"), _by_name(wanted.links, "link")),
        ("alert rule", _by_name(held.alert_rules, "id"), _by_name(wanted.alert_rules, "id")),
    ):
        found += [
            Difference(kind, name, before.get(name), after.get(name))  # type: ignore[arg-type]
            for name in {**after, **before}
            if before.get(name) != after.get(name)
        ]
    return found


def bring_in(store: Store, wanted: SiteDocument) -> list[Difference]:
    """Write what differs, in one transaction; what only the store has stays. What was written."""
    with store.write() as connection:
        held = _read(connection)
        changes = [one for one in differences(held, wanted) if one.after is not None]
        names = {(one.kind, one.name) for one in changes}
        for room in wanted.rooms:
            if ("room", room.room) in names:
                config = RoomConfig.model_validate(room.model_dump(exclude={"room", "links"}))
                write_room(connection, room.room, config, check=lambda _: None, actor=ACTOR, nics={})
        for link in wanted.links:
            if ("link", link.link) in names:
                doc = {"name": link.name}
                write_link(
                    connection,
                    link.link,
                    room=link.room,
                    nic=link.nic,
                    doc=doc,
                    check=lambda _: None,
                    actor=ACTOR,
                )
        if any(one.kind == "alert rule" for one in changes):
            rules = {one.id: one for one in (*held.alert_rules, *wanted.alert_rules)}
            write_rules(connection, list(rules.values()), check=lambda _: None, actor=ACTOR)
        return changes


def _read(connection: sa.Connection) -> SiteDocument:
    rows = connection.execute(sa.select(links).order_by(links.c.link)).mappings()
    return SiteDocument.model_construct(
        rooms=[
            RoomEntry.model_validate(
                {"room": one.room, **one.config.model_dump(exclude={"links"})}, context=STORED
            )
            for one in select_rooms(connection)
        ],
        links=[
            LinkEntry.model_construct(
                link=row["link"], room=row["room"], nic=row["nic"], name=row["doc"].get("name", "")
            )
            for row in rows
        ],
        alert_rules=readable(read_documents(connection)),
    )


def _by_name(entries: Sequence[Any], key: str) -> dict[str, dict[str, Any]]:
    return {getattr(one, key): one.model_dump(mode="json") for one in entries}
