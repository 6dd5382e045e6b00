"""Rooms, links, what enrols them, and baselines, on both databases."""

from typing import Any

import pytest
import sqlalchemy as sa

from service.rooms.config import RoomConfig
from service.settings import Settings
from service.store.baselines import mark_stale, note_track, read_baselines, read_fresh, replace_baselines
from service.store.engine import Store
from service.store.enroll import enroll, seed
from service.store.eventlog import read_events
from service.store.links import delete_link, get_link, list_links, put_link
from service.store.rooms import delete_room, get_room, list_rooms, put_room
from service.store.schema import links
from tests.store.filled import put

NAMES = ["b", "B", "a", "Z", "a.b", "a-b", "a_b", "10", "9"]


def test_names_come_in_the_order_of_bytes(store: Store) -> None:
    for name in NAMES:
        put(store, name, links=[f"{name}.link"])
    assert [record.room for record in list_rooms(store)] == sorted(NAMES)
    assert [link.link for link in list_links(store)] == sorted(f"{name}.link" for name in NAMES)


def test_a_room_keeps_its_document_and_moves_its_links(store: Store) -> None:
    first, new = put(store, "lab", links=["x", "y"], name="Läb ☃", tags={"floor": "1"})
    assert (new, first.revision, first.config.links) == (True, 1, ["x", "y"])
    changed, new = put(store, "lab", links=["y"], name="Lab")
    assert (new, changed.revision, changed.config.links) == (False, 2, ["y"])
    assert first.etag != changed.etag
    freed = get_link(store, "x")
    assert freed is not None
    assert freed.room is None
    delete_room(store, "lab", check=lambda _: None, actor="me")
    assert get_room(store, "lab") is None
    assert [link.room for link in list_links(store)] == [None, None]
    types = [event.type.rpartition(".")[2] for event in read_events(store, after=0, limit=9).events]
    assert types == ["erased", "erased", "deleted"]


def test_what_a_check_refuses_changes_nothing(store: Store) -> None:
    def refuse(_: object) -> None:
        raise LookupError

    with pytest.raises(LookupError):
        put_room(store, "lab", RoomConfig(), check=refuse, actor="me", nics={})
    assert list_rooms(store) == []
    assert read_events(store, after=0, limit=9).events == []


def test_links_are_made_changed_and_forgotten(store: Store) -> None:
    def put_it(room: str | None) -> tuple[Any, bool]:
        return put_link(
            store, "x", room=room, nic="atheros", doc={"a": [1]}, check=lambda _: None, actor="me"
        )

    assert put_it(None)[1]
    record, new = put_it("lab")
    assert (new, record.revision, record.room, record.doc) == (False, 2, "lab", {"a": [1]})
    with store.write() as connection:  # a MAC address has 48 bits, a capture time 61
        connection.execute(sa.update(links).values(transmitter=2**48 - 1, last_capture_ns=2**61))
    assert list_links(store, room="lab")[0].last_capture_ns == 2**61
    delete_link(store, "x", check=lambda _: None, actor="me")
    assert list_links(store) == []


def test_headers_and_the_settings_make_rooms(store: Store) -> None:
    place = {"link": "x", "nic": "nexmon", "source": "live", "doc": {"assigned_by": "header"}}
    enroll(store, room="lab", actor="header", **place)  # type: ignore[arg-type]
    enroll(store, room="hall", actor="header", **place)  # type: ignore[arg-type]
    entry = {"link": "z", "room": "loft", "nic": "esp32"}
    site = Settings.model_validate(
        {"rooms": [{"room": "lab"}, {"room": "attic", "links": ["y"]}], "links": [entry]}
    )
    seed(store, site)
    seed(store, site)
    assert [record.room for record in list_rooms(store)] == ["attic", "hall", "lab", "loft"]
    assert {link.link: (link.room, link.revision) for link in list_links(store)} == {
        "x": ("hall", 2),
        "y": ("attic", 1),
        "z": ("loft", 1),
    }


def test_baselines_are_kept_by_link_and_marked(store: Store) -> None:
    with store.write() as connection:
        replace_baselines(connection, "lab", {"x": {"made_ns": 1, "mean": [0.5, None]}, "y": {"made_ns": 2}})
        replace_baselines(connection, "lab", {"y": {"made_ns": 3}})
        note_track(connection, "lab", "y", 3, {"days": 2.5})
        note_track(connection, "lab", "x", 99, {"days": 9.0})
        mark_stale(connection, "lab", "x", {"why": "moved"})
    assert read_fresh(store, "lab") == {"y": {"made_ns": 3, "track": {"days": 2.5}}}
    assert set(read_baselines(store)) == {("lab", "x"), ("lab", "y")}


def test_a_room_that_a_header_took_a_link_from_is_told_of(store: Store) -> None:
    facts: dict[str, Any] = {"nic": "intel5300", "source": "live", "doc": {}, "actor": "hello"}
    enroll(store, link="l1", room="lab", **facts)
    enroll(store, link="l1", room="hall", **facts)
    enroll(store, link="l1", room="hall", **facts)
    told = [event.room for event in read_events(store, after=0, limit=9).events]
    assert told == ["lab", "hall", "lab", "hall"]
