"""A webhook tells how a room that it named ended, and nothing of one that is made under its name."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from service.events import EventType
from service.outlets.webhooks.outlet import selection_of
from service.store.audit import audit_page
from service.store.engine import Store, open_store
from service.store.eventlog import read_events
from service.store.rooms import delete_room
from service.store.schema import alerts
from service.store.webhooks import (
    DISABLED,
    ENABLED,
    StoredWebhook,
    add_webhook,
    ask_replay,
    disable_webhook,
    get_webhook,
)
from tests.outlets.site import append
from tests.store.filled import put

CLEARED, DELETED = EventType.ALERT_CLEARED, EventType.ROOM_DELETED


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path / 's.sqlite3'}")
    for room in ("lab", "den", "hall"):
        put(opened, room)
    yield opened
    opened.close()


def hook(store: Store, rooms: list[str]) -> StoredWebhook:
    doc = {"url": "https://a.example/x", "types": None, "rooms": rooms, "min_severity": None}
    made = add_webhook(store, doc, secret="", room=None, actor="test")
    assert made is not None
    return made


def as_stored(store: Store, webhook: StoredWebhook) -> StoredWebhook:
    found = get_webhook(store, webhook.webhook)
    assert found is not None
    return found


def raise_alert(store: Store, room: str) -> None:
    row: dict[str, object] = {
        "alert_id": "a1",
        "room": room,
        "rule": "occupied",
        "kind": "state",
        "state": "raised",
    }
    row |= {"severity": "warning", "subject": "presence", "holds": True, "marks": {}, "doc": {}}
    with store.write() as connection:
        connection.execute(sa.insert(alerts).values(**row, raised_ns=1, updated_ns=1))


def delete(store: Store, room: str) -> None:
    delete_room(store, room, check=lambda _: None, actor="who deletes")


def told(store: Store, webhook: StoredWebhook, room: str) -> list[str]:
    """Types of the events of this room that the webhook gets, of all that are in the log."""
    selection = selection_of(as_stored(store, webhook))
    log = read_events(store, after=0, limit=1000).events
    return [event.type for event in log if event.room == room and selection.fits(event)]


def test_how_a_room_ended_is_delivered_after_it_was_taken_out(store: Store) -> None:
    both, other = hook(store, ["lab", "den"]), hook(store, ["den"])
    raise_alert(store, "lab")
    delete(store, "lab")
    assert as_stored(store, both).doc["rooms"] == ["den"]
    assert told(store, both, "lab")[-2:] == [CLEARED, DELETED]
    assert told(store, other, "lab") == []
    before = told(store, both, "lab")
    put(store, "lab")
    append(store, room="lab")
    assert told(store, both, "lab") == before, "this is another room"
    append(store, room="den")
    assert told(store, both, "den")[-1] == EventType.ALERT_RAISED


def test_each_room_has_an_end_of_its_own(store: Store) -> None:
    webhook = hook(store, ["lab", "den", "hall"])
    for room in ("lab", "den"):
        delete(store, room)
        put(store, room)
    assert [told(store, webhook, room)[-1] for room in ("lab", "den")] == [DELETED, DELETED]
    assert as_stored(store, webhook).doc["rooms"] == ["hall"]
    assert set(as_stored(store, webhook).until) == {"lab", "den"}


@pytest.mark.parametrize("off", [None, "the receiver answered 410 Gone"])
def test_a_replay_tells_nothing_of_a_room_made_again(store: Store, off: str | None) -> None:
    webhook = hook(store, ["lab"])
    if off is not None:
        disable_webhook(store, webhook.webhook, {}, off)
    delete(store, "lab")
    ended = as_stored(store, webhook)
    assert (ended.state, ended.reason) == (DISABLED, off or "room lab was deleted")
    put(store, "lab")
    append(store, room="lab")
    ask_replay(store, webhook.webhook, None, actor="test")
    assert as_stored(store, webhook).state == ENABLED
    assert told(store, webhook, "lab")[-1] == DELETED


def test_what_became_of_a_disabled_webhook_is_audited(store: Store) -> None:
    webhook = hook(store, ["lab"])
    disable_webhook(store, webhook.webhook, {}, "the receiver answered 410 Gone")
    delete(store, "lab")
    entries = audit_page(store, limit=100, before=None)[0]
    (entry,) = (one for one in entries if one["action"] == "webhook.changed")
    assert (entry["target"], entry["actor"]) == (webhook.webhook, "who deletes")
