"""Webhooks end to end: made through the API, delivered by the part `outlets` to a real HTTPS receiver."""

import json
import re
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from service.events import EventType, Severity
from service.outlets.webhooks import client as webhook_client
from service.store.keys import Role
from service.store.webhooks import list_webhooks
from tests.outlets.peers import Receiver
from tests.outlets.site import OutletsThread, append
from tests.service.running import Running, wait_for

PAGE = Path(__file__).resolve().parents[2] / "docs" / "integrations" / "webhooks.md"


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    with Receiver(tmp_path_factory.mktemp("receiver")) as running:
        yield running


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory, receiver: Receiver) -> Iterator[Running]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ROOMTONE_OUTLETS__WEBHOOKS__ALLOW_PRIVATE", "true")
        patch.setenv("ROOMTONE_OUTLETS__WEBHOOKS__CA_FILE", str(receiver.certificate))
        with Running(tmp_path_factory.mktemp("site")) as running, OutletsThread(running.settings):
            for room in ("lab", "lobby", "nobody-else"):
                running.put_room(room)
            yield running


def make(api: Running, url: str, **wanted: Any) -> dict[str, Any]:
    answer = api.client.post("/v1/webhooks", json={"url": url, **wanted})
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    assert answer.headers["location"] == f"/v1/webhooks/{made['id']}"
    return made


def read(api: Running, webhook: str) -> dict[str, Any]:
    found: dict[str, Any] = api.client.get(f"/v1/webhooks/{webhook}").json()
    return found


def send(api: Running, count: int = 1, **more: Any) -> list[int]:
    """Append as the worker does: durable first, then the wake-up call."""
    numbers = append(api.store, count, **more)
    api.context.line.publish("events", {"sequence": numbers[-1]})
    return numbers


def ids(receiver: Receiver, path: str) -> list[int]:
    return [int(event["id"]) for event in receiver.events(path)]


def test_events_arrive_in_order_signed_as_the_page_says(api: Running, receiver: Receiver) -> None:
    made = make(api, receiver.url("/ok?signed"))
    sent = send(api, 5)
    wait_for(lambda: ids(receiver, "/ok?signed") == sent, "five events")
    logged = api.client.get(f"/v1/events?after={sent[0] - 1}").json()["events"]
    assert receiver.events("/ok?signed") == logged
    page: dict[str, Any] = {}
    exec(re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL)[0], page)  # noqa: S102 - the page
    for request in receiver.requests("/ok?signed"):
        page["verify"](made["secret"], request["headers"], request["body"].encode())
        with pytest.raises(ValueError, match="not signed"):
            page["verify"](made["secret"], request["headers"], request["body"].encode() + b" ")
    page["time"] = type("Later", (), {"time": lambda: 10**10})
    with pytest.raises(ValueError, match="too old"):
        page["verify"](made["secret"], request["headers"], request["body"].encode())
    assert len({request["headers"]["webhook-id"] for request in receiver.requests("/ok?signed")}) == 5


def test_the_secret_is_told_once_and_sealed(api: Running, receiver: Receiver) -> None:
    made = make(api, receiver.url())
    assert made["secret"].startswith("whsec_")
    assert made["secret"] not in api.client.get("/v1/webhooks").text + json.dumps(read(api, made["id"]))
    kept = {one.webhook: one.secret for one in list_webhooks(api.store)}
    assert made["secret"].removeprefix("whsec_") not in kept[made["id"]]
    assert stat.S_IMODE((api.settings.data_dir / "webhooks.key").stat().st_mode) == 0o600


def test_only_what_was_asked_for_and_what_is_live(api: Running, receiver: Receiver) -> None:
    make(api, receiver.url("/ok?lab"), rooms=["lab"], types=["alert"], min_severity="warning")
    send(api, room="elsewhere")
    send(api, source="simulated")
    send(api, severity=Severity.INFO)
    send(api, source="replay")
    api.append(EventType.LINK_LOST, "lab", wake=False, link="l1", source="live")
    wanted = send(api)
    wait_for(lambda: ids(receiver, "/ok?lab"), "the one that was asked for")
    assert ids(receiver, "/ok?lab") == wanted


@pytest.mark.parametrize(
    ("path", "delivered", "status"),
    [("/ok?t", True, 200), ("/status/500", False, 500), ("/status/302", False, 302), ("/long", True, 200)],
)
def test_a_test_event_is_marked_and_its_answer_told(
    api: Running, receiver: Receiver, path: str, delivered: bool, status: int
) -> None:
    made = make(api, receiver.url(path), rooms=["nobody-else"])
    answer = api.client.post(f"/v1/webhooks/{made['id']}/test").json()
    assert (answer["delivered"], answer["status"]) == (delivered, status)
    assert 0 < answer["latency_ms"] < 5000
    (event,) = receiver.events(path)
    assert event["type"] == "org.roomtone.webhook.test"
    assert event["data"] == {"test": True, "webhook": made["id"]}
    assert "sequence" not in event


def test_a_webhook_for_a_room_with_a_slip_in_its_name_is_refused(api: Running, receiver: Receiver) -> None:
    answer = api.client.post("/v1/webhooks", json={"url": receiver.url(), "rooms": ["lab", "lba"]})
    assert (answer.status_code, answer.json()["errors"][0]["loc"]) == (422, ["body", "rooms"])
    assert "no room 'lba'" in answer.json()["detail"]


def test_who_does_not_answer_in_time_has_failed(
    api: Running, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = make(api, receiver.url("/hang"), rooms=["nobody-else"])
    monkeypatch.setattr(webhook_client, "ANSWER_WITHIN_S", 0.2)
    answer = api.client.post(f"/v1/webhooks/{made['id']}/test").json()
    assert (answer["delivered"], answer["status"]) == (False, None)
    assert "no answer within" in answer["reason"]


def test_a_replay_brings_the_same_ids_again(api: Running, receiver: Receiver) -> None:
    made = make(api, receiver.url("/ok?again"))
    sent = send(api, 3)
    wait_for(lambda: ids(receiver, "/ok?again") == sent, "three events")
    answer = api.client.post(f"/v1/webhooks/{made['id']}/replay", json={"after": sent[0]})
    assert (answer.status_code, answer.json()) == (202, {"after": sent[0], "complete": True})
    wait_for(lambda: ids(receiver, "/ok?again") == [*sent, *sent[1:]], "two of them again")
    first = [request["headers"]["webhook-id"] for request in receiver.requests("/ok?again")]
    assert first[1:3] == first[3:5]
    beyond = api.client.post(f"/v1/webhooks/{made['id']}/replay", json={"after": 10**9})
    assert beyond.json()["type"] == "/problems/validation"
    assert beyond.json()["errors"][0]["loc"] == ["body", "after"]


def test_who_is_back_is_not_said_to_fail(api: Running, receiver: Receiver) -> None:
    made = make(api, receiver.url("/first/503"), rooms=["lobby"])
    send(api, room="lobby")
    wait_for(lambda: read(api, made["id"])["last_success_at"] is not None, "the success to be told")
    told = read(api, made["id"])
    assert told["failing_since"] is None, "else a failure a day later would turn it off"
    assert told["last_trouble"] == "the receiver answered 503"


def test_a_receiver_that_is_gone_is_turned_off_and_on_again(api: Running, receiver: Receiver) -> None:
    made = make(api, receiver.url("/status/410"))
    (number,) = send(api)
    wait_for(lambda: read(api, made["id"])["state"] == "disabled", "the webhook to be turned off")
    told = read(api, made["id"])
    assert told["reason"] == "the receiver answered 410 Gone"
    assert told["position"] < number, "what it did not take waits"
    events = api.client.get(f"/v1/events?after={number}&types=webhook").json()["events"]
    assert [event["data"]["webhook"] for event in events] == [made["id"]]
    assert events[0]["data"]["host"] == "localhost"
    actions = [(entry["action"], entry["target"]) for entry in api.client.get("/v1/audit").json()["items"]]
    assert ("webhook.disabled", made["id"]) in actions
    assert api.client.post(f"/v1/webhooks/{made['id']}/replay", json={}).status_code == 202
    wait_for(lambda: len(receiver.events("/status/410")) == 2, "the event again")
    api.client.delete(f"/v1/webhooks/{made['id']}")


def test_a_deleted_webhook_gets_nothing_more(api: Running, receiver: Receiver) -> None:
    made, other = make(api, receiver.url("/ok?gone")), make(api, receiver.url("/ok?stays"))
    assert api.client.delete(f"/v1/webhooks/{made['id']}").status_code == 204
    for request in (
        api.client.get(f"/v1/webhooks/{made['id']}"),
        api.client.delete(f"/v1/webhooks/{made['id']}"),
        api.client.post(f"/v1/webhooks/{made['id']}/test"),
        api.client.post(f"/v1/webhooks/{made['id']}/replay", json={}),
    ):
        assert (request.status_code, request.json()["type"]) == (404, "/problems/webhook-not-found")
    names = [f"webhook:{one}" for one in (made["id"], other["id"])]
    wait_for(lambda: [name in api.context.watch.outlets for name in names] == [False, True], "heartbeats")
    sent = send(api, 2)
    wait_for(lambda: ids(receiver, "/ok?stays") == sent, "deliveries to the other")
    assert ids(receiver, "/ok?gone") == []


def test_an_admin_of_one_room_sees_and_gets_that_room_only(api: Running, receiver: Receiver) -> None:
    whole = make(api, receiver.url("/ok?whole"))
    with api.client_of(api.new_key(Role.ADMIN, "lab")) as admin:
        foreign = admin.post("/v1/webhooks", json={"url": receiver.url(), "rooms": ["attic"]})
        assert foreign.status_code == 403
        mine = admin.post("/v1/webhooks", json={"url": receiver.url("/ok?mine")}).json()
        assert [item["id"] for item in admin.get("/v1/webhooks").json()["items"]] == [mine["id"]]
        assert admin.get(f"/v1/webhooks/{whole['id']}").status_code == 404
        assert admin.post(f"/v1/webhooks/{whole['id']}/replay", json={}).status_code == 404
    attic, lab = send(api, room="attic"), send(api, room="lab")
    wait_for(lambda: ids(receiver, "/ok?whole") == attic + lab, "both rooms")
    wait_for(lambda: ids(receiver, "/ok?mine") == lab, "one room")


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost/x",
        "http://example.com/x",
        "ftp://example.com/x",
        "https://",
        "https://user:secret@example.com/",
        "https://example.com/#part",
        "https://example.com:0/",
        "https://example.com:99999/",
        "https://exa mple.com/",
        "https://169.254.169.254/latest/meta-data",
        "https://[fe80::1]/",
        "https://[::ffff:169.254.169.254]/",
        "https://[64:ff9b::a9fe:a9fe]/",
        "https://224.0.0.1/",
        "https://0.0.0.0/",
        "https://[::]/",
        "https://[fd00:ec2::254]/",
        "https://168.63.129.16/",
        "https://[::1/",
        "https://ex\u00e4mple.com/",
    ],
)
def test_where_a_webhook_may_not_lead(api: Running, url: str) -> None:
    answer = api.client.post("/v1/webhooks", json={"url": url})
    assert (answer.status_code, answer.json()["type"]) == (422, "/problems/validation"), answer.text
    assert answer.json()["errors"][0]["loc"] == ["body", "url"]


def test_types_that_are_none_are_refused(api: Running) -> None:
    answer = api.client.post("/v1/webhooks", json={"url": "https://example.com/", "types": ["nonsense"]})
    assert answer.status_code == 422
    assert "no event type 'nonsense'" in answer.json()["detail"]


def test_metrics_tell_of_every_outlet(api: Running, receiver: Receiver) -> None:
    made = make(api, receiver.url("/ok?metrics"))
    sent = send(api, 2)
    wait_for(lambda: ids(receiver, "/ok?metrics") == sent, "two events")
    name = f'{{outlet="webhook:{made["id"]}"}}'
    lines = [f"roomtone_outlet_delivered_events_total{name} 2.0", f"roomtone_outlet_lag_events{name} 0.0"]
    lines += [f"roomtone_outlet_connected{name} 1.0", "roomtone_outlets_up 1.0"]
    told: set[str] = set()

    def look() -> bool:
        told.update(api.client.get("/metrics").text.splitlines())
        return set(lines) <= told

    wait_for(look, "metrics")
