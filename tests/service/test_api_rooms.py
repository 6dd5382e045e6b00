"""Rooms, links, states and their history over REST."""

import base64
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from models.zoo import CardError
from service.state import rfc3339
from service.store.sessions import login_url
from tests.service.running import PretendedWorker, Running, link_facts, wait_for


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Running]:
    with Running(tmp_path) as running:
        yield running


@pytest.fixture
def worker(api: Running) -> Iterator[PretendedWorker]:
    with PretendedWorker(api.settings) as pretended:
        wait_for(lambda: api.context.watch.worker_up, "the worker's heartbeat")
        yield pretended


def tasks_of(api: Running, room: str = "lab") -> dict[str, dict[str, Any]]:
    answer = api.client.get(f"/v1/rooms/{room}/state")
    assert answer.status_code == 200, answer.text
    assert set(answer.json()) == {"room", "sequence", "tasks"}
    return {state["task"]: state for state in answer.json()["tasks"]}


def test_room_life(api: Running) -> None:
    assert api.client.get("/v1/rooms").json() == {"items": [], "next_cursor": None}
    assert api.client.get("/v1/rooms/lab").status_code == 404
    made = api.client.put(
        "/v1/rooms/lab", json={"name": "Lab", "size_m": [3, 4.5], "tags": {"brick": "Room"}}
    )
    assert made.status_code == 201
    read = api.client.get("/v1/rooms/lab")
    assert read.json() == made.json()
    assert read.headers["etag"] == made.headers["etag"]
    assert (read.json()["size_m"], read.json()["tasks"]) == ([3.0, 4.5], ["presence", "counting"])
    again = api.client.put("/v1/rooms/lab", json={"name": "Laboratory"})
    assert again.status_code == 200
    assert again.headers["etag"] != made.headers["etag"]
    assert api.client.delete("/v1/rooms/lab").status_code == 204
    assert api.client.get("/v1/rooms/lab").json()["type"] == "/problems/room-not-found"
    kinds = [event["type"] for event in api.client.get("/v1/events").json()["events"]]
    assert kinds == [f"org.roomtone.room.{what}" for what in ("erased", "erased", "deleted")]
    actions = [entry["action"] for entry in api.client.get("/v1/audit").json()["items"]]
    assert actions[:3] == ["room.deleted", "room.changed", "room.changed"]


def test_lost_updates_are_refused(api: Running) -> None:
    first = api.put_room("lab", name="one").headers["etag"]
    second = api.client.put("/v1/rooms/lab", json={"name": "two"}, headers={"If-Match": first})
    assert second.status_code == 200
    late = api.client.put("/v1/rooms/lab", json={"name": "three"}, headers={"If-Match": first})
    assert late.status_code == 412
    assert late.json()["type"] == "/problems/precondition-failed"
    assert late.json()["etag"] == second.headers["etag"]
    assert api.client.get("/v1/rooms/lab").json()["name"] == "two"
    assert api.client.delete("/v1/rooms/lab", headers={"If-Match": first}).status_code == 412
    assert api.client.put("/v1/rooms/lab", json={}, headers={"If-None-Match": "*"}).status_code == 412
    assert api.client.put("/v1/rooms/new", json={}, headers={"If-None-Match": "*"}).status_code == 201
    assert api.client.put("/v1/rooms/newer", json={}, headers={"If-Match": "*"}).status_code == 412
    assert api.client.put("/v1/rooms/lab", json={}, headers={"If-Match": "*"}).status_code == 200


def test_unchanged_documents_are_not_sent_again(api: Running) -> None:
    api.put_room("lab")
    for path in ("/v1/rooms/lab", "/v1/rooms/lab/state", "/v1/state", "/v1/openapi.json"):
        etag = api.client.get(path).headers["etag"]
        for condition in (etag, f'"x", W/{etag}', "*"):
            answer = api.client.get(path, headers={"If-None-Match": condition})
            assert (answer.status_code, answer.content) == (304, b""), (path, condition)
        assert api.client.get(path, headers={"If-None-Match": '"x"'}).status_code == 200


def test_links_follow_the_room_document_only_where_it_names_them(api: Running) -> None:
    etag = api.put_room("lab", links=["l1", "l2"]).headers["etag"]
    assert api.client.get("/v1/rooms/lab").json()["links"] == ["l1", "l2"]
    api.put_room("lab", name="kept")
    assert api.client.get("/v1/rooms/lab").json()["links"] == ["l1", "l2"]
    api.put_room("lab", links=["l2"])
    assert api.client.get("/v1/links/l1").json()["status"] == "unassigned"
    moved = api.client.put("/v1/links/l1", json={"room": "lab", "nic": "intel5300"})
    assert moved.status_code == 200
    assert api.client.get("/v1/rooms/lab").json()["links"] == ["l1", "l2"]
    assert api.client.get("/v1/rooms/lab").headers["etag"] != etag
    assert api.client.put("/v1/links/l1", json={}, headers={"If-Match": '"1"'}).status_code == 412
    assert api.client.put("/v1/links/l3", json={"room": "nowhere"}).status_code == 404
    assert api.client.put("/v1/links/l3", json={"nic": "toaster"}).json()["type"] == "/problems/validation"
    assert api.client.delete("/v1/links/l1").status_code == 204
    assert api.client.get("/v1/links/l1").json()["type"] == "/problems/link-not-found"
    api.client.delete("/v1/rooms/lab")
    assert api.client.get("/v1/links/l2").json()["room"] is None


def test_changes_are_told_to_the_other_parts(api: Running, worker: PretendedWorker) -> None:
    api.put_room("lab")
    wait_for(lambda: "rooms" in worker.heard, "the signal about rooms")


def test_unassigned_senders_are_shown_and_can_be_assigned(api: Running, worker: PretendedWorker) -> None:
    worker.unassigned = {"stray": link_facts(None, rejected={"unknown_link": 5})}
    items = wait_for(lambda: api.client.get("/v1/links?status=unassigned").json()["items"], "the sender")
    assert [(item["link"], item["nic"], item["rate_hz"]) for item in items] == [("stray", "intel5300", 99.5)]
    api.put_room("lab")
    assigned = api.client.put("/v1/links/stray", json={"room": "lab"})
    assert (assigned.status_code, assigned.json()["nic"]) == (201, "intel5300")
    assert api.client.get("/v1/links?status=unassigned").json()["items"] == []


def test_links_tell_their_sender_its_losses_and_its_clock(api: Running, worker: PretendedWorker) -> None:
    told = {
        "transmitter": "00:16:ea:00:00:01",
        "roamed": 1,
        "unauthenticated": True,
        "address": "192.0.2.7",
        "bandwidth_mhz": 80,
        "centre_mhz": 5210,
        "source_rejected": {"other_transmitter": 7},
        "lost_at_source": {"socket_overflow": 3},
        "dropped": 4,
        "loss_method": "timing",
        "clock": {"drift_ppm": -3.5, "resets": 2},
    }
    worker.unassigned = {"stray": link_facts(None, **told)}
    (item,) = wait_for(lambda: api.client.get("/v1/links?status=unassigned").json()["items"], "the sender")
    assert {name: item[name] for name in told} == told
    schemas = api.client.get("/v1/openapi.json").json()["components"]["schemas"]
    assert set(told) <= set(schemas["Link"]["properties"])
    assert set(item) == set(schemas["Link"]["properties"])
    stream = api.client.get("/v1/asyncapi.json").json()
    kinds = stream["components"]["messages"]["event"]["payload"]["properties"]["type"]["enum"]
    assert "org.roomtone.link.roamed" in kinds


def test_quality_tells_what_the_worker_counts(api: Running, worker: PretendedWorker) -> None:
    api.put_room("lab", links=["l1", "l2"])
    worker.links = {"l1": link_facts("lab")}
    wait_for(lambda: "l1" in api.context.watch.links, "the link in a heartbeat")
    answer = api.client.get("/v1/rooms/lab/quality").json()
    first, second = answer["items"]
    assert answer["worker_up"] is True
    assert (first["status"], first["gap_share"], first["rejected"]) == ("ok", 0.1, {"all_zero": 1})
    assert first["age_s"] < 60
    assert (second["status"], second["received"], second["age_s"]) == ("waiting", None, None)
    assert (second["clock"], second["lost_at_source"]) == ({"drift_ppm": None, "resets": None}, {})
    metrics = api.client.get("/metrics").text
    labels = 'link="l1",nic="intel5300",room="lab",source="simulated"'
    assert f"roomtone_link_frames_received_total{{{labels}}} 90.0" in metrics
    assert 'roomtone_link_frames_rejected_total{link="l1",nic="intel5300",reason="all_zero"' in metrics
    assert "roomtone_worker_up 1.0" in metrics
    assert 'route="/v1/rooms/{room}/quality",status="200"' in metrics


def test_room_without_data_is_unknown_not_an_error(api: Running, worker: PretendedWorker) -> None:
    api.put_room("lab", tasks=["presence", "counting", "activity"])
    states = tasks_of(api)
    assert list(states) == ["presence", "counting", "activity"]
    assert {(state["status"], state["reason"], state["value"]) for state in states.values()} == {
        ("unknown", "no_frames", None)
    }


def test_fresh_state_is_told_as_it_is(api: Running, worker: PretendedWorker) -> None:
    api.put_room("lab")
    api.put_state("lab", "presence", "occupied", received_ns=time.time_ns(), motion=0.7, still=False)
    state = tasks_of(api)["presence"]
    assert (state["status"], state["value"], state["motion"]) == ("ok", "occupied", 0.7)
    assert state["stale_after"] > state["observed_at"]
    every = api.client.get("/v1/state?tasks=presence&rooms=lab").json()
    assert [room["tasks"] for room in every["items"]] == [[state]]
    assert every["sequence"] == 7


def test_stale_state_is_unknown_with_the_last_known_value(api: Running, worker: PretendedWorker) -> None:
    api.put_room("lab", stale_after_s=5)
    received = time.time_ns() - 6 * 10**9
    api.put_state("lab", "presence", "vacant", received_ns=received, motion=0.1)
    state = tasks_of(api)["presence"]
    assert (state["status"], state["reason"], state["value"]) == ("unknown", "stale", None)
    assert (state["probability"], state["motion"]) == (None, None)
    assert state["last_known"]["value"] == "vacant"
    assert state["since"] == rfc3339(received + 5 * 10**9)
    worker.links = {"l1": link_facts("lab", last_received_ns=time.time_ns() + 60 * 10**9)}
    wait_for(lambda: tasks_of(api)["presence"]["status"] == "ok", "frames to make it fresh again")


def test_silent_worker_makes_every_state_unknown(api: Running, worker: PretendedWorker) -> None:
    api.put_room("lab")
    api.put_state("lab", "presence", "vacant", received_ns=time.time_ns())
    assert tasks_of(api)["presence"]["status"] == "ok"
    worker.stop()
    wait_for(lambda: tasks_of(api)["presence"]["reason"] == "worker_down", "the worker to be missed")
    for state in tasks_of(api).values():
        assert (state["status"], state["reason"], state["value"]) == ("unknown", "worker_down", None)
    assert tasks_of(api)["presence"]["last_known"]["value"] == "vacant"
    ready = api.client.get("/readyz")
    assert ready.status_code == 503
    assert "silent" in ready.json()["checks"]["bus"]["reason"]


def test_ready_without_a_room(api: Running, worker: PretendedWorker) -> None:
    ready = api.client.get("/readyz")
    assert ready.status_code == 200, ready.text
    assert set(ready.json()["checks"]) == {"bus", "store", "models"}


def test_not_ready_without_a_worker_but_alive(api: Running) -> None:
    ready = api.client.get("/readyz")
    assert ready.status_code == 503
    assert ready.headers["content-type"] == "application/problem+json"
    assert "not heard yet" in ready.json()["checks"]["bus"]["reason"]
    assert ready.json()["checks"]["store"] == {"ok": True, "reason": None}
    assert api.client.get("/livez").status_code == 200


def walk(api: Running, path: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    cursor = ""
    while cursor is not None:
        answer = api.client.get(path + (f"&cursor={cursor}" if cursor else ""))
        assert answer.status_code == 200, answer.text
        items += answer.json()["items"]
        cursor = answer.json()["next_cursor"]
    return items


def test_history_comes_in_pages_without_holes_or_doubles(api: Running) -> None:
    api.put_room("lab")
    api.put_predictions("lab", "presence", list(range(100, 150)))
    api.put_predictions("lab", "counting", list(range(100, 150)), value=1)
    api.put_predictions("other", "presence", list(range(100, 150)))
    everything = walk(api, "/v1/rooms/lab/predictions?limit=7")
    assert len(everything) == 100
    keys = [(item["window"]["to"], item["task"]) for item in everything]
    assert len(set(keys)) == 100
    assert [key[0] for key in keys] == sorted((key[0] for key in keys), reverse=True)
    presence = walk(api, "/v1/rooms/lab/predictions?limit=20&task=presence")
    assert {item["task"] for item in presence} == {"presence"}
    span = f"from={rfc3339(110 * 10**9)}&to={rfc3339(120 * 10**9)}"
    part = walk(api, f"/v1/rooms/lab/predictions?limit=4&task=presence&{span}")
    assert [item["window"]["to"] for item in part] == [rfc3339(s * 10**9) for s in range(119, 109, -1)]


def test_new_predictions_do_not_disturb_a_walk(api: Running) -> None:
    api.put_room("lab")
    api.put_predictions("lab", "presence", list(range(100, 110)))
    path = "/v1/rooms/lab/predictions?limit=5"
    first = api.client.get(path).json()
    api.put_predictions("lab", "presence", [110, 111])
    second = api.client.get(f"{path}&cursor={first['next_cursor']}").json()
    seen = [item["window"]["to"] for item in first["items"] + second["items"]]
    assert seen == [rfc3339(s * 10**9) for s in range(109, 99, -1)]


def test_cursors_that_were_tampered_with_are_refused(api: Running) -> None:
    api.put_room("lab")
    api.put_predictions("lab", "presence", list(range(100, 110)))
    path = "/v1/rooms/lab/predictions?limit=5"
    cursor = api.client.get(path).json()["next_cursor"]
    raw = bytearray(base64.urlsafe_b64decode(cursor + "=="))
    raw[-3] ^= 1
    flipped = base64.urlsafe_b64encode(raw).decode().rstrip("=")
    made_up = base64.urlsafe_b64encode(b'aaaaaa{"to_ns":1,"task":"x"}').decode()
    for wrong in ("", "x", "%00", "ä", "....", cursor[:-4], cursor + "AAAA", flipped, made_up, "A" * 400):
        answer = api.client.get(f"{path}&cursor={wrong}")
        assert answer.status_code == 400, (wrong, answer.text)
        assert answer.json()["type"] == "/problems/bad-cursor"
    assert api.client.get(f"{path}&task=presence&cursor={cursor}").status_code == 400, "of another list"
    assert api.client.get("/v1/alerts", params={"cursor": cursor}).status_code == 400
    assert api.client.get("/v1/audit", params={"cursor": cursor}).status_code == 400


def test_event_log_pages_and_filters(api: Running) -> None:
    numbers = [api.append(room=f"r{i % 2}", alert_id=str(i), source="simulated") for i in range(10)]
    page = api.client.get("/v1/events?limit=4").json()
    assert [int(event["sequence"]) for event in page["events"]] == numbers[:4]
    assert (page["next_after"], page["complete"]) == (numbers[3], True)
    event = page["events"][0]
    assert (event["specversion"], event["subject"], event["data"]["source"]) == ("1.0", "r0", "simulated")
    assert event["data"]["severity"] == "info"
    assert len(event["sequence"]) == 20
    rest = api.client.get(f"/v1/events?after={page['next_after']}").json()
    assert len(rest["events"]) == 6
    assert api.client.get(f"/v1/events?after={rest['next_after']}").json()["events"] == []
    odd = api.client.get("/v1/events?rooms=r1&limit=1").json()
    assert [event["subject"] for event in odd["events"]] == ["r1"]
    none = api.client.get("/v1/events?types=org.roomtone.link.lost").json()
    assert (none["events"], none["next_after"]) == ([], numbers[-1])
    assert len(api.client.get("/v1/events?types=alert").json()["events"]) == 10, (
        "names as in a subscribe message"
    )


def test_alerts_are_listed_newest_first(api: Running) -> None:
    from service.store.schema import alerts

    row = {"rule": "room_occupied", "room": "lab", "doc": {"source": "simulated"}, "updated_ns": 5}
    with api.store.write() as connection:
        for i in range(5):
            state = "cleared" if i < 2 else "raised"
            severity = "info" if i else "critical"
            connection.execute(
                alerts.insert().values(
                    **row, alert_id=f"a{i}", state=state, severity=severity, raised_ns=i // 2, cleared_ns=None
                )
            )
    items = walk(api, "/v1/alerts?limit=2")
    assert [item["alert_id"] for item in items] == ["a4", "a3", "a2", "a1", "a0"]
    assert {item["alert_id"] for item in walk(api, "/v1/alerts?state=raised&limit=2")} == {"a2", "a3", "a4"}
    assert {item["alert_id"] for item in walk(api, "/v1/alerts?severity=critical&limit=2")} == {"a0"}
    assert api.client.get("/v1/alerts?severity=loud").status_code == 422
    assert api.client.get("/v1/alerts?rooms=none").json()["items"] == []


def test_damaged_model_is_a_reason_not_to_be_ready(
    api: Running, worker: PretendedWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    def damaged(*_: object) -> None:
        raise CardError("counting/card.toml: field 'digest' is missing")

    monkeypatch.setattr("service.api.context.shelved", damaged)
    ready = api.client.get("/readyz")
    assert ready.status_code == 503
    assert "digest" in ready.json()["checks"]["models"]["reason"]


def test_model_cards_say_what_they_were_trained_on(api: Running) -> None:
    cards = api.client.get("/v1/models").json()["items"]
    assert {(card["task"], card["shelf"], card["simulated"]) for card in cards} == {
        (task, "open", True)
        for task in ("presence", "counting", "localization", "suspicious_object", "activity")
    }
    one = api.client.get(f"/v1/models/{cards[0]['name']}").json()
    assert one == cards[0]
    assert api.client.get("/v1/models/none").json()["type"] == "/problems/model-not-found"


def test_deleting_a_room_ends_its_alerts_and_erases_what_was_stored(api: Running) -> None:
    from service.store.schema import alerts

    api.put_room("lab", links=["l1"])
    api.put_state("lab", "presence", "occupied", received_ns=time.time_ns())
    api.put_predictions("lab", "presence", [100, 101])
    row = {"alert_id": "a1", "rule": "room_occupied", "room": "lab", "severity": "info", "state": "raised"}
    with api.store.write() as connection:
        connection.execute(
            alerts.insert().values(
                **row, raised_ns=1, updated_ns=1, doc={"source": "live", "task": "presence"}
            )
        )
    assert api.client.delete("/v1/rooms/lab").status_code == 204
    cleared, deleted = api.client.get("/v1/events").json()["events"][-2:]
    assert (cleared["type"], deleted["type"]) == ("org.roomtone.alert.cleared", "org.roomtone.room.deleted")
    assert cleared["data"]["alert_id"] == "a1"
    assert cleared["data"]["source"] == "live"
    api.put_room("lab")
    assert api.client.get("/v1/rooms/lab/predictions").json()["items"] == []
    assert tasks_of(api)["presence"]["last_known"] is None
    assert api.client.get("/v1/alerts").json()["items"] == []


def test_head_is_get_without_a_body(api: Running) -> None:
    api.put_room("lab")
    for path in ("/livez", "/v1/rooms/lab", "/", "/static/app.js"):
        got, asked = api.client.get(path), api.client.head(path)
        assert (asked.status_code, asked.content) == (200, b""), path
        assert asked.headers.get("etag") == got.headers.get("etag"), path


def test_looking_at_a_login_address_does_not_spend_it(api: Running) -> None:
    address = login_url(api.store, api.base)
    with api.client_of(None) as browser:
        assert browser.head(address).status_code == 405
        answer = browser.get(address)
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        assert browser.get("/v1/rooms").status_code == 200
        assert browser.get(address).headers["location"] == "/?login=expired"
