"""Each row of DESIGN A3: its routes are there with its role, and do what the row says."""

import time
from collections.abc import Iterator
from typing import Any

import pytest

from service.api.auth import ROLE_MARK
from service.store.keys import Role
from tests.service.running import PretendedWorker, Running, link_facts, wait_for

Route = tuple[str, str, Role | None]
V, O, A = Role.VIEWER, Role.OPERATOR, Role.ADMIN  # noqa: E741 - letters of a table
ROWS: dict[str, list[Route]] = {
    "health": [("GET", "/livez", None), ("GET", "/readyz", None)],
    "metrics": [("GET", "/metrics", V)],
    "rooms": [
        ("GET", "/v1/rooms", V),
        ("GET", "/v1/rooms/{room}", V),
        ("PUT", "/v1/rooms/{room}", A),
        ("DELETE", "/v1/rooms/{room}", A),
    ],
    "state": [("GET", "/v1/rooms/{room}/state", V)],
    "states": [("GET", "/v1/state", V), ("GET", "/v1/zones/{zone}/state", V)],
    "predictions": [("GET", "/v1/rooms/{room}/predictions", V)],
    "quality": [("GET", "/v1/rooms/{room}/quality", V)],
    "links": [
        ("GET", "/v1/links", V),
        ("GET", "/v1/links/{link}", V),
        ("PUT", "/v1/links/{link}", A),
        ("DELETE", "/v1/links/{link}", A),
    ],
    "take-sample": [("POST", "/v1/rooms/{room}/samples", O)],
    "samples": [("GET", "/v1/rooms/{room}/samples", O), ("DELETE", "/v1/rooms/{room}/samples/{sample}", O)],
    "adaptations": [("POST", "/v1/rooms/{room}/adaptations", O)],
    "jobs": [("GET", "/v1/jobs/{job}", O), ("POST", "/v1/jobs/{job}/cancel", O)],
    "versions": [
        ("GET", "/v1/rooms/{room}/models", V),
        ("POST", "/v1/rooms/{room}/models/{version}/activate", A),
        ("POST", "/v1/rooms/{room}/models/rollback", A),
    ],
    "recalibrate": [("POST", "/v1/admin/rooms/{room}/recalibrate", A)],
    "pause": [("POST", "/v1/admin/rooms/{room}/pause", A), ("POST", "/v1/admin/rooms/{room}/resume", A)],
    "events": [("GET", "/v1/events", V)],
    "alerts": [
        ("GET", "/v1/alerts", V),
        ("POST", "/v1/alerts/{alert}/acknowledge", O),
        ("POST", "/v1/alerts/{alert}/snooze", O),
        ("POST", "/v1/alerts/{alert}/dismiss", O),
    ],
    "rules-and-webhooks": [
        ("GET", "/v1/alert-rules", A),
        ("PUT", "/v1/alert-rules", A),
        ("GET", "/v1/webhooks", A),
        ("POST", "/v1/webhooks", A),
        ("DELETE", "/v1/webhooks/{webhook}", A),
        ("POST", "/v1/webhooks/{webhook}/test", A),
        ("POST", "/v1/webhooks/{webhook}/replay", A),
    ],
    "models": [("GET", "/v1/models", V), ("GET", "/v1/models/{name}", V), ("POST", "/v1/models", A)],
    "inference": [
        ("GET", "/v2/health/live", None),
        ("GET", "/v2/health/ready", None),
        ("GET", "/v2", V),
        ("GET", "/v2/models/{model}", V),
        ("POST", "/v2/models/{model}/infer", V),
    ],
    "tickets": [("POST", "/v1/tickets", V)],
    "keys-and-audit": [
        ("GET", "/v1/keys", A),
        ("POST", "/v1/keys", A),
        ("DELETE", "/v1/keys/{key_id}", A),
        ("GET", "/v1/audit", A),
    ],
}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with Running(tmp_path_factory.mktemp("rows")) as running, PretendedWorker(running.settings) as worker:
        worker.links = {"l1": link_facts("lab")}
        worker.unassigned = {"l9": link_facts(None, address="192.0.2.9")}
        running.put_room("lab", links=["l1"], zones=[{"zone": "floor"}], stale_after_s=3600.0)
        wait_for(lambda: running.context.watch.unassigned, "the worker to be heard")
        running.put_state("lab", "presence", "occupied", received_ns=time.time_ns())
        yield running


def get(api: Running, path: str) -> Any:
    answer = api.client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize("row", ROWS)
def test_the_routes_of_a_row_are_there_with_its_role(api: Running, row: str) -> None:
    paths = api.app.openapi()["paths"]
    for method, path, role in ROWS[row]:
        operation = paths[path][method.lower()]
        assert operation.get(ROLE_MARK) == role, (method, path)


def test_health_is_open_and_says_why(api: Running) -> None:
    with api.client_of(None) as anybody:
        assert anybody.get("/livez").json() == {"status": "alive"}
        ready = anybody.get("/readyz")
        assert ready.status_code == 200
        assert {"bus", "store", "models"} <= set(ready.json()["checks"])


def test_metrics_are_prometheus(api: Running) -> None:
    answer = api.client.get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain")
    assert "# TYPE " in answer.text


def test_rooms_have_tags_that_guard_writes(api: Running) -> None:
    made = api.client.put("/v1/rooms/hall", json={"name": "Hall", "tags": {"brick": "Room"}})
    assert made.status_code == 201
    etag = made.headers["etag"]
    assert api.client.get("/v1/rooms/hall", headers={"If-None-Match": etag}).status_code == 304
    changed = api.client.put("/v1/rooms/hall", json={"name": "B"}, headers={"If-Match": etag})
    assert changed.status_code == 200
    again = api.client.put("/v1/rooms/hall", json={"name": "C"}, headers={"If-Match": etag})
    assert again.status_code == 412
    assert again.json()["etag"] == changed.headers["etag"]
    assert api.client.delete("/v1/rooms/hall", headers={"If-Match": etag}).status_code == 412
    assert api.client.delete("/v1/rooms/hall").status_code == 204
    assert {room["room"] for room in get(api, "/v1/rooms")["items"]} == {"lab"}


def test_what_get_gave_is_changed_and_put_back(api: Running) -> None:
    for path, change in (
        ("/v1/rooms/lab", {"name": "Changed"}),
        ("/v1/links/l1", {"name": "Changed"}),
        ("/v1/alert-rules", {"items": []}),
    ):
        held = api.client.get(path)
        headers = {"If-Match": held.headers["etag"]}
        written = api.client.put(path, json={**held.json(), **change}, headers=headers)
        assert written.status_code == 200, written.text
        assert change.items() <= written.json().items()
        assert api.client.put(path, json={**held.json(), "made_up": 1}).status_code == 422
        back = api.client.put(path, json=held.json())
        assert back.status_code == 200
    assert get(api, "/v1/rooms/lab")["links"] == ["l1"]
    with api.client_of(api.new_key(Role.ADMIN, room="lab")) as client:
        held = client.get("/v1/rooms/lab").json()
        assert client.put("/v1/rooms/lab", json={**held, "capacity": 3}).json()["links"] == ["l1"]
        for links in (["l1", "l9"], ["l9"]):
            assert client.put("/v1/rooms/lab", json={**held, "links": links}).status_code == 403


def test_state_of_a_room_and_of_all_in_one_page(api: Running) -> None:
    one, page = get(api, "/v1/rooms/lab/state"), get(api, "/v1/state?rooms=lab")
    assert set(one) == {"room", "sequence", "tasks"}
    assert page["items"] == [one]
    assert {"task", "status", "reason", "value", "probability", "interval", "since", "observed_at"} <= set(
        one["tasks"][0]
    )
    assert get(api, "/v1/zones/floor/state")["value"] == "occupied"
    for path in ("/v1/rooms/lab/state", "/v1/state", "/v1/zones/floor/state"):
        assert api.client.get(path).headers["etag"]


def test_predictions_are_pages_with_opaque_cursors(api: Running) -> None:
    api.put_predictions("lab", "presence", list(range(100, 110)))
    first = get(api, "/v1/rooms/lab/predictions?limit=6&task=presence")
    second = get(api, f"/v1/rooms/lab/predictions?limit=6&task=presence&cursor={first['next_cursor']}")
    ends = [item["window"]["to"] for item in first["items"] + second["items"]]
    assert (len(ends), second["next_cursor"]) == (10, None)
    assert ends == sorted(ends, reverse=True)


def test_quality_of_each_link(api: Running) -> None:
    (link,) = get(api, "/v1/rooms/lab/quality")["items"]
    wanted = {"rate_hz", "gap_share", "age_s", "clock_offset_ms", "rssi_dbm", "drift_score"}
    assert wanted | {"calibration_age_s"} <= set(link)
    assert link["rate_hz"] == 99.5


def test_links_by_status_with_unknown_senders(api: Running) -> None:
    (unknown,) = get(api, "/v1/links?status=unassigned")["items"]
    assert (unknown["link"], unknown["nic"], unknown["rate_hz"]) == ("l9", "intel5300", 99.5)
    assert unknown["address"] == "192.0.2.9"
    assert [link["link"] for link in get(api, "/v1/links?status=ok")["items"]] == ["l1"]
    held = api.client.get("/v1/links/l1")
    assert api.client.get("/v1/links/l1", headers={"If-None-Match": held.headers["etag"]}).status_code in {
        200,  # its age has moved on
        304,
    }
    body = {"room": "lab", "name": "door"}
    written = api.client.put("/v1/links/l1", json=body, headers={"If-Match": held.headers["etag"]})
    assert written.status_code == 200, "what is told beside the configuration does not stand in the way"
    late = api.client.put("/v1/links/l1", json=body, headers={"If-Match": held.headers["etag"]})
    assert late.status_code == 412


def test_long_work_is_a_job(api: Running) -> None:
    for path, body in (
        ("/v1/rooms/lab/adaptations", {"task": "counting", "method": "auto"}),
        ("/v1/admin/rooms/lab/recalibrate", {"mode": "empty", "start_delay_s": 5}),
    ):
        answer = api.client.post(path, json=body)
        assert answer.status_code == 202
        where = answer.headers["location"]
        assert where == f"/v1/jobs/{answer.json()['job']}"
        assert {"state", "progress", "eta_s", "metrics", "reason"} <= set(get(api, where))
        taken = api.client.post(path, json=body)
        assert taken.json()["type"] == "/problems/job-taken"
        assert api.client.post(f"{where}/cancel").json()["state"] == "cancelled"
        assert api.client.post(f"{where}/cancel").status_code == 409


def test_versions_of_a_room(api: Running) -> None:
    assert get(api, "/v1/rooms/lab/models") == {"items": [], "next_cursor": None}
    rollback = api.client.post("/v1/rooms/lab/models/rollback?task=presence")
    assert (rollback.status_code, rollback.json()["type"]) == (409, "/problems/nothing-to-roll-back")
    assert api.client.post("/v1/rooms/lab/models/1/activate").json()["type"] == "/problems/version-not-found"


def test_events_are_numbered(api: Running) -> None:
    first = api.append(room="lab", alert_id="a", source="live", wake=False)
    second = api.append(room="lab", alert_id="b", source="live", wake=False)
    log = get(api, f"/v1/events?after={first - 1}&types=alert&rooms=lab&limit=1")
    assert [int(event["sequence"]) for event in log["events"]] == [first]
    assert log["next_after"] == first
    assert get(api, f"/v1/events?after={second}") == {"events": [], "next_after": second, "complete": True}


def test_cards_of_models(api: Running) -> None:
    cards = get(api, "/v1/models")["items"]
    assert cards
    one = api.client.get(f"/v1/models/{cards[0]['name']}")
    assert one.json() == cards[0]
    headers = {"If-None-Match": one.headers["etag"]}
    assert api.client.get(f"/v1/models/{cards[0]['name']}", headers=headers).status_code == 304


def test_keys_and_what_was_done_with_them(api: Running) -> None:
    made = api.client.post("/v1/keys", json={"role": "viewer", "room": "lab", "expires_in_s": 60})
    assert (made.status_code, made.headers["location"]) == (201, f"/v1/keys/{made.json()['id']}")
    assert made.json()["key"].startswith(f"rt_{made.json()['id']}_"), "its prefix is what lists show"
    assert api.client.delete(made.headers["location"]).status_code == 204
    target = made.json()["id"]
    revoked, created = get(api, f"/v1/audit?target={target}")["items"]
    assert (created["action"], created["detail"]["before"]) == ("key.create", None)
    assert created["detail"]["after"]["room"] == "lab"
    assert revoked["detail"] == {"before": {"status": "active"}, "after": {"status": "revoked"}}
    assert {entry["action"] for entry in get(api, "/v1/audit?action=key.revoke")["items"]} == {"key.revoke"}


def test_a_change_of_a_room_says_what_it_was(api: Running) -> None:
    api.put_room("annex", name="Old", capacity=4)
    api.put_room("annex", name="New", capacity=4)
    changed = get(api, "/v1/audit?target=annex&limit=1")["items"][0]["detail"]
    assert changed == {"before": {"name": "Old"}, "after": {"name": "New"}}
    api.client.put("/v1/links/l7", json={"room": "annex", "nic": "esp32"})
    api.client.put("/v1/links/l7", json={"room": None, "nic": "esp32"})
    moved = get(api, "/v1/audit?target=l7&limit=1")["items"][0]["detail"]
    assert moved == {"before": {"room": "annex"}, "after": {"room": None}}
    api.client.delete("/v1/rooms/annex")
    erased = get(api, "/v1/audit?target=annex&limit=1")["items"][0]
    assert (erased["action"], erased["detail"]["after"]) == ("room.deleted", None)
    assert erased["detail"]["before"]["name"] == "New"


def test_a_room_that_loses_its_link_to_another_is_told_of(api: Running) -> None:
    api.put_room("annex", name="Annex", links=["l8"])
    api.put_room("attic", name="Attic", links=["l8"])
    lost = get(api, "/v1/audit?target=annex&limit=1")["items"][0]
    assert lost["action"] == "room.changed"
    assert lost["detail"] == {"before": {"links": ["l8"]}, "after": {"links": []}}
    assert changed_rooms(api) == ["annex", "attic", "annex"]
    api.client.put("/v1/links/l8", json={"room": "annex", "nic": "esp32"})
    assert changed_rooms(api)[3:] == ["attic", "annex"]
    api.client.delete("/v1/links/l8")
    assert changed_rooms(api)[5:] == ["annex"]


def changed_rooms(api: Running) -> list[str]:
    told = get(api, "/v1/events?types=room.changed&after=0")["events"]
    return [one["subject"] for one in told if one["subject"] in {"annex", "attic"}]
