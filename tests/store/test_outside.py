"""What outlets, integrators and people keep in the store, on both databases."""

import json
import threading
from dataclasses import replace

import pytest
import sqlalchemy as sa

from service.rooms.alerting.alert import AlertState, Cause
from service.store.alert_actions import Action, act
from service.store.alert_rules import list_rules, put_rules
from service.store.answers import Answer, InFlightError, begin, finish, release
from service.store.bacnet import device, known_numbers, room_numbers
from service.store.engine import Store
from service.store.erasing import Range, erase
from service.store.eventlog import read_head
from service.store.history import prediction_page
from service.store.idempotency import KeyReusedError, Once
from service.store.outlets import cursors, open_cursor, save_cursor
from service.store.pauses import read_pauses
from service.store.pausing import change_pause
from service.store.room_export import export_room
from service.store.rooms import delete_room, list_rooms
from service.store.schema import alerts, screenings
from service.store.screenings import close, screening_page
from service.store.webhooks import add_webhook, delete_webhook, disable_webhook, list_webhooks, save_health
from tests.store.filled import NOW, put, turn, write

ONCE = Once("me", "key", "digest")


def test_a_webhook_and_its_cursor_live_together(store: Store) -> None:
    put(store, "lab")
    made = add_webhook(store, {"url": "https://x.example/"}, secret="sealed", room=None, actor="me")
    assert made is not None
    assert cursors(store) == {made.outlet: read_head(store)}
    put(store, "hall")
    save_cursor(store, made.outlet, read_head(store))
    save_health(store, made.webhook, {"failures": 3})
    disable_webhook(store, made.webhook, {"failures": 9}, "gone")
    (found,) = list_webhooks(store)
    assert (found.state, found.reason, found.doc) == ("disabled", "gone", {"url": "https://x.example/"})
    delete_webhook(store, made.webhook, actor="me")
    assert (list_webhooks(store), cursors(store)) == ([], {})


def test_an_outlet_begins_at_the_head_and_keeps_its_place(store: Store) -> None:
    put(store, "lab")
    assert open_cursor(store, "mqtt") == read_head(store)
    save_cursor(store, "mqtt", 1)
    assert open_cursor(store, "mqtt") == 1
    save_cursor(store, "removed", 5)
    assert cursors(store) == {"mqtt": 1}


def test_numbers_of_rooms_in_bacnet_are_never_used_again(store: Store) -> None:
    put(store, "a")
    put(store, "b")
    first = room_numbers(store, list_rooms(store))
    delete_room(store, "a", check=lambda _: None, actor="me")
    put(store, "a")
    again = room_numbers(store, list_rooms(store))
    assert again["b"] == first["b"]
    assert again["a"] > max(first.values())
    assert known_numbers(store, list_rooms(store)) == again
    one = device(store, instance=None, objects="x")
    assert device(store, instance=None, objects="x") == one
    assert device(store, instance=7, objects="y") == replace(one, instance=7, revision=2, objects="y")


def test_one_of_many_same_requests_is_worked_on(store: Store) -> None:
    told = list[object]()

    def ask() -> None:
        try:
            told.append(begin(store, ONCE, None))
        except InFlightError:
            told.append("in flight")

    askers = [threading.Thread(target=ask) for _ in range(4)]
    for asker in askers:
        asker.start()
    for asker in askers:
        asker.join(20)
    assert sorted(map(str, told)) == ["None", "in flight", "in flight", "in flight"]
    answer = Answer(201, {"location": "/x"}, b"\x00\xff")
    finish(store, ONCE, answer)
    assert begin(store, ONCE, None) == answer
    with pytest.raises(KeyReusedError):
        begin(store, replace(ONCE, digest="another"), None)
    other = replace(ONCE, key="other")
    assert begin(store, other, "lab") is None
    release(store, other)
    assert begin(store, other, "lab") is None


def test_rules_are_replaced_as_a_whole(store: Store) -> None:
    rules = list_rules(store)
    assert rules, "a site begins with some"
    put_rules(store, rules[::-1], check=lambda _: None, actor="me")
    assert list_rules(store) == rules[::-1]


def test_an_alert_is_acknowledged_and_its_screening_closed(store: Store) -> None:
    about = {"alert_id": "a", "room": "lab", "doc": {}}
    row = {
        "rule": "r",
        "severity": "critical",
        "state": "raised",
        "raised_ns": 1,
        "updated_ns": 1,
        "marks": {},
    }
    more = {"kind": "suspicious_object", "subject": "", "holds": True}
    with store.write() as connection:
        connection.execute(sa.insert(alerts).values(about | row | more))
        item = {"screening": "scr-a", "state": "open", "opened_ns": 1}
        connection.execute(sa.insert(screenings).values(about | item))
    action = Action(AlertState.ACKNOWLEDGED, Cause.ACKNOWLEDGED)
    assert act(store, "a", action, actor="me")["state"] == "acknowledged"
    with pytest.raises(LookupError):
        act(store, "b", action, actor="me")
    assert close(store, "scr-a", "metal", actor="me")
    assert not close(store, "scr-a", "none", actor="me")
    page, _ = screening_page(store, state="closed", room="lab", limit=5, before=None)
    assert [one.found for one in page] == ["metal"]


def test_a_room_is_paused_exported_and_erased(store: Store) -> None:
    put(store, "lab")
    write(store, turn("lab", NOW / 1e9))
    change_pause(
        store, "lab", lambda pause, now: replace(pause, from_ns=now), actor="me", action="room.paused"
    )
    assert read_pauses(store)["lab"].from_ns is not None
    lines = [json.loads(line) for line in export_room(store, "lab")]
    assert lines[-1]["end"]
    assert lines[-1]["rows"]["predictions"] == 1
    gone = erase(store, "lab", Range(), actor="me")
    assert gone is not None
    assert gone["predictions"] == 1
    assert prediction_page(store, "lab", limit=5) == ([], None)
    assert erase(store, "nowhere", Range(), actor="me") is None
