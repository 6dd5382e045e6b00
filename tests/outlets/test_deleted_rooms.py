"""Who could see a deleted room sees nothing of one that is made under its name."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from service.store.audit import audit_page
from service.store.engine import Store, open_store
from service.store.keys import Role, authenticate, create_key, list_keys
from service.store.rooms import delete_room
from service.store.schema import outlet_cursors
from service.store.webhooks import ENABLED, StoredWebhook, add_webhook, list_webhooks
from tests.outlets.peers import Receiver
from tests.outlets.site import OutletsThread, append
from tests.service.running import Running, wait_for
from tests.store.filled import put


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path / 's.sqlite3'}")
    for room in ("lab", "den"):
        put(opened, room)
    yield opened
    opened.close()


def hook(store: Store, rooms: list[str] | None, room: str | None = None) -> StoredWebhook:
    doc = {"url": "https://a.example/x", "types": None, "rooms": rooms, "min_severity": None}
    made = add_webhook(store, doc, secret="", room=room, actor="test")
    assert made is not None
    return made


def audited(store: Store) -> list[tuple[str, str]]:
    """What was done by who deleted the room: action and target, oldest first."""
    entries = audit_page(store, limit=100, before=None)[0]
    return [(one["action"], one["target"]) for one in reversed(entries) if one["actor"] == "who deletes"]


def test_keys_for_the_room_are_revoked_and_others_stay(store: Store) -> None:
    made = {room: create_key(store, Role.ADMIN, actor="test", room=room) for room in ("lab", "den", None)}
    delete_room(store, "lab", check=lambda _: None, actor="who deletes")
    put(store, "lab")
    assert [authenticate(store, key) is not None for key, _ in made.values()] == [False, True, True]
    assert [one.document()["status"] for one in list_keys(store)] == ["revoked", "active", "active"]
    assert ("key.revoke", made["lab"][1].key_id) in audited(store)


def test_webhooks_tell_nothing_of_a_room_made_again(store: Store) -> None:
    own, only = hook(store, None, room="lab"), hook(store, ["lab"])
    both, other, whole = hook(store, ["den", "lab"]), hook(store, ["den"]), hook(store, None)
    delete_room(store, "lab", check=lambda _: None, actor="who deletes")
    left = {one.webhook: one for one in list_webhooks(store)}
    assert set(left) == {one.webhook for one in (only, both, other, whole)}
    assert (left[only.webhook].state, left[only.webhook].reason) == ("disabled", "room lab was deleted")
    assert {left[one.webhook].state for one in (both, other, whole)} == {ENABLED}
    assert [left[one.webhook].doc["rooms"] for one in (both, other, whole)] == [["den"], ["den"], None]
    with store.read() as connection:
        cursors = {row.outlet for row in connection.execute(outlet_cursors.select())}
    assert own.outlet not in cursors
    assert audited(store)[:3] == [
        ("webhook.delete", own.webhook),
        ("webhook.disabled", only.webhook),
        ("webhook.changed", both.webhook),
    ]


def test_a_running_site_obeys_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Receiver(tmp_path) as receiver:
        monkeypatch.setenv("ROOMTONE_OUTLETS__WEBHOOKS__ALLOW_PRIVATE", "true")
        monkeypatch.setenv("ROOMTONE_OUTLETS__WEBHOOKS__CA_FILE", str(receiver.certificate))
        with Running(tmp_path / "site") as api, OutletsThread(api.settings):
            _obeys(api, receiver)


def _obeys(api: Running, receiver: Receiver) -> None:
    for room in ("lab", "den"):
        api.put_room(room)
    body: dict[str, Any] = {"url": receiver.url("/ok?both"), "rooms": ["lab", "den"], "types": ["alert"]}
    assert api.client.post("/v1/webhooks", json=body).status_code == 201

    def tell(room: str) -> int:
        (number,) = append(api.store, room=room)
        api.context.line.publish("events", {"sequence": number})
        return number

    def told() -> list[int]:
        return [int(event["id"]) for event in receiver.events("/ok?both")]

    def only_den_is_told() -> bool:
        of_lab, of_den = tell("lab"), tell("den")
        wait_for(lambda: of_den in told(), "the alert of the other room")
        return of_lab not in told()

    assert not only_den_is_told()
    with api.client_of(api.new_key(Role.VIEWER, room="lab")) as guard:
        assert guard.get("/v1/rooms/lab").status_code == 200
        assert api.client.delete("/v1/rooms/lab").status_code == 204
        api.put_room("lab")
        assert guard.get("/v1/rooms/lab").status_code == 401
    wait_for(only_den_is_told, "the part `outlets` to take the room out")
