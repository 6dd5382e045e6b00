"""Alerts, their rules and screenings over REST, with a real worker behind where it has a part."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from drivers.frame import FrameBlock
from service.api import sampling
from service.api.alert_samples import Span
from service.api.documents.alerts import DismissBody, OutcomeBody, RuleList, SnoozeBody
from service.rooms.alerting.rules import BUILT_IN
from service.state import rfc3339, unix_ns
from service.store.keys import Role
from service.store.samples import get_sample
from service.store.schema import alerts, audit, samples, screenings
from service.worker import samples as worker_samples
from tests.service.frames import METAL, S, frames
from tests.service.running import Running, wait_for
from tests.service.test_samples import Site, problem, recording


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with Running(tmp_path_factory.mktemp("alerts")) as running:
        running.put_room("lab", tags={"floor": "3"})
        running.put_room("den")
        yield running


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    monkeypatch.setattr(sampling, "WAIT_S", 30.0)  # however busy the machine is
    with Running(tmp_path) as running, Site(running) as made:
        running.put_room("lab", links=["l1"], tasks=["presence", "counting", "suspicious_object"])
        made.start()
        yield made


def put_alert(api: Running, alert: str, **more: Any) -> None:
    """Store an alert as the worker does."""
    now = time.time_ns()
    row: dict[str, Any] = {"rule": "room_occupied", "room": "lab", "severity": "info", "state": "raised"}
    row |= {"subject": "presence", "holds": True, "raised_ns": now, "updated_ns": now, "marks": {}}
    row |= {"kind": "occupied", "doc": {"task": "presence", "source": "live"}} | more
    with api.store.write() as connection:
        connection.execute(alerts.insert().values(alert_id=alert, **row))


def rows(api: Running, table: Any) -> list[dict[str, Any]]:
    with api.store.read() as connection:
        return [dict(row) for row in connection.execute(table.select()).mappings()]


def last_event(api: Running) -> dict[str, Any]:
    found: dict[str, Any] = api.client.get("/v1/events?types=alert&limit=1000").json()["events"][-1]
    return found


def test_an_alert_is_acknowledged_snoozed_and_dismissed_with_events_and_entries(api: Running) -> None:
    put_alert(api, "deeds")
    with api.client_of(api.new_key(Role.OPERATOR, name="guard")) as guard:
        known = guard.post("/v1/alerts/deeds/acknowledge")
        assert known.status_code == 200, known.text
        assert known.json()["state"] == "acknowledged"
        event = last_event(api)
        assert (event["type"], event["subject"]) == ("org.roomtone.alert.updated", "lab")
        data = event["data"]
        assert (data["before"]["state"], data["after"]["state"]) == ("raised", "acknowledged")
        assert data["actor"] == known.json()["acknowledged"]["by"]
        assert (data["alert_id"], data["cause"], data["source"]) == ("deeds", "acknowledged", "live")
        assert guard.post("/v1/alerts/deeds/acknowledge").json() == known.json()
        assert last_event(api)["id"] == event["id"], "a second time changes nothing"
        snoozed = guard.post("/v1/alerts/deeds/snooze", json={"for_s": 600}).json()
        assert snoozed["state"] == "snoozed"
        assert unix_ns(snoozed["snoozed_until"]) == pytest.approx(time.time_ns() + 600 * S, abs=30 * S)
        done = guard.post("/v1/alerts/deeds/dismiss", json={}).json()
        assert (done["alert"]["state"], done["sample"], done["reason"]) == ("dismissed", None, None)
        assert done["alert"]["dismissed"]["false_alarm"] is False
        assert done["alert"]["cleared_at"] is not None
        event = last_event(api)
        assert (event["type"], event["data"]["cause"]) == ("org.roomtone.alert.cleared", "dismissed")
        for what in ("acknowledge", "snooze", "dismiss"):
            body = {"for_s": 5} if what == "snooze" else {}
            problem(guard.post(f"/v1/alerts/deeds/{what}", json=body), 409, "alert-over")
        assert guard.get("/v1/alerts/deeds").json() == done["alert"]
    entries = [row for row in rows(api, audit) if row["detail"].get("alert_id") == "deeds"]
    assert [row["action"] for row in entries] == ["alert.acknowledged", "alert.snoozed", "alert.dismissed"]
    assert entries[0]["detail"]["before"]["state"] == "raised"
    assert entries[0]["detail"]["after"]["state"] == "acknowledged"


def test_a_cleared_alert_can_only_be_dismissed(api: Running) -> None:
    put_alert(api, "gone", state="cleared", cleared_ns=time.time_ns(), holds=False)
    problem(api.client.post("/v1/alerts/gone/acknowledge"), 409, "alert-over")
    assert api.client.post("/v1/alerts/gone/dismiss", json={}).json()["alert"]["state"] == "dismissed"
    event = last_event(api)
    assert (event["type"], event["data"]["before"]["state"]) == ("org.roomtone.alert.updated", "cleared")


def test_alerts_are_filtered_by_state(api: Running) -> None:
    for state in ("raised", "acknowledged", "snoozed", "dismissed", "cleared"):
        put_alert(api, f"f-{state}", state=state, room="den")
        found = api.client.get("/v1/alerts", params={"state": state, "rooms": "den"}).json()["items"]
        assert [one["alert_id"] for one in found] == [f"f-{state}"]
    open_ones = api.client.get("/v1/alerts?state=raised,acknowledged,snoozed&rooms=den").json()["items"]
    assert {one["state"] for one in open_ones} == {"raised", "acknowledged", "snoozed"}
    for slip in ("raised,asleep", "", ","):
        problem(api.client.get("/v1/alerts", params={"state": slip}), 422, "validation")
    problem(api.client.get("/v1/alerts?severity=loud"), 422, "validation")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"for_s": 0},
        {"for_s": 1e99},
        {"for_s": 5, "until": "2099-01-01T00:00:00Z"},
        {"until": "2020-01-01T00:00:00Z"},
        {"until": "2999-01-01T00:00:00Z"},
        {"until": "tomorrow"},
        {"for": 5},
    ],
)
def test_a_snooze_that_does_not_fit_is_refused(api: Running, body: dict[str, Any]) -> None:
    problem(api.client.post("/v1/alerts/nowhere/snooze", json=body), 422, "validation")


def test_keys_of_one_room_act_in_that_room_only_and_viewers_nowhere(api: Running) -> None:
    put_alert(api, "mine", room="lab")
    put_alert(api, "yours", room="den")
    with api.client_of(api.new_key(Role.OPERATOR, room="lab")) as local:
        problem(local.get("/v1/alerts/yours"), 404, "alert-not-found")
        for what in ("acknowledge", "snooze", "dismiss"):
            body = {"for_s": 5} if what == "snooze" else {}
            problem(local.post(f"/v1/alerts/yours/{what}", json=body), 404, "alert-not-found")
        problem(local.get("/v1/alerts?rooms=den"), 403, "forbidden")
        assert local.post("/v1/alerts/mine/acknowledge").status_code == 200
    with api.client_of(api.new_key(Role.VIEWER)) as viewer:
        assert viewer.get("/v1/alerts/mine").status_code == 200
        for what in ("acknowledge", "snooze", "dismiss"):
            problem(viewer.post(f"/v1/alerts/mine/{what}", json={}), 403, "forbidden")
        problem(viewer.get("/v1/screenings"), 403, "forbidden")
    assert [row["state"] for row in rows(api, alerts) if row["alert_id"] == "yours"] == ["raised"]


def test_a_deed_under_one_key_is_done_once(api: Running) -> None:
    put_alert(api, "once")
    headers = {"Idempotency-Key": "k-alert"}
    first = api.client.post("/v1/alerts/once/dismiss", json={}, headers=headers)
    again = api.client.post("/v1/alerts/once/dismiss", json={}, headers=headers)
    assert (first.status_code, first.json()) == (again.status_code, again.json())
    assert first.json()["alert"]["state"] == "dismissed"


RULE = {"id": "crowded", "kind": "count_over", "severity": "warning", "limit": 12, "hold_s": 300}
DEN = {"id": "den", "kind": "occupied", "severity": "info", "rooms": ["den"]}


def test_rules_are_replaced_as_a_whole_and_lost_updates_refused(api: Running) -> None:
    read = api.client.get("/v1/alert-rules")
    etag = read.headers["etag"]
    assert [one["id"] for one in read.json()["items"]] == [one.id for one in BUILT_IN]
    assert api.client.get("/v1/alert-rules", headers={"If-None-Match": etag}).status_code == 304
    body = {"items": [*read.json()["items"], RULE, DEN]}
    put = api.client.put("/v1/alert-rules", json=body, headers={"If-Match": etag})
    assert put.status_code == 200, put.text
    after = api.client.get("/v1/alert-rules")
    assert (after.json(), after.headers["etag"]) == (put.json(), put.headers["etag"])
    assert after.json()["items"][-2]["hold_s"] == 300
    late = api.client.put("/v1/alert-rules", json={"items": []}, headers={"If-Match": etag})
    assert problem(late, 412, "precondition-failed")["etag"] == put.headers["etag"]
    (entry,) = [row for row in rows(api, audit) if row["action"] == "alert_rules.changed"]
    assert entry["detail"]["before"] == {"crowded": None, "den": None}
    assert entry["detail"]["after"]["crowded"]["limit"] == 12
    with api.client_of(api.new_key(Role.ADMIN, room="lab")) as local:
        assert [one["id"] for one in local.get("/v1/alert-rules").json()["items"]] == [
            *(one.id for one in BUILT_IN),
            "crowded",
        ]
    for role, room in ((Role.OPERATOR, None), (Role.ADMIN, "lab")):
        with api.client_of(api.new_key(role, room=room)) as client:
            problem(client.put("/v1/alert-rules", json=body), 403, "forbidden")


@pytest.mark.parametrize(
    ("rule", "key", "words"),
    [
        ({**RULE, "limit": -1}, "limit", "rule crowded: "),
        ({**RULE, "hold_s": "long"}, "hold_s", "rule crowded: "),
        ({**RULE, "colour": "red"}, "colour", "rule crowded: "),
        ({**RULE, "kind": "weather"}, "2", "rule crowded: "),
        ({**RULE, "schedule": {"rrule": "FREQ=MINUTELY", "duration_s": 60}}, "schedule", "FREQ"),
        (
            {**RULE, "schedule": {"rrule": "FREQ=DAILY", "duration_s": 60, "time_zone": "../x"}},
            "time_zone",
            "../x",
        ),
        ({**RULE, "escalation": [{"severity": "info", "limit": 3}]}, "2", "rule crowded: escalation"),
        ({"kind": "occupied", "severity": "info"}, "id", "required"),
        ("crowded", "2", ""),
        ({**RULE, "id": "\ud800"}, "id", "rule ?: "),
        (DEN, "body", "rule 'den' stands twice"),
    ],
)
def test_a_rule_that_does_not_fit_is_named_with_its_key(
    api: Running, rule: Any, key: str, words: str
) -> None:
    before = api.client.get("/v1/alert-rules").json()
    body = json.dumps({"items": [{**DEN, "id": "other"}, DEN, rule]})
    headers = {"Content-Type": "application/json"}
    answer = api.client.put("/v1/alert-rules", content=body, headers=headers)
    errors = problem(answer, 422, "validation")["errors"]
    assert key in [str(part) for part in errors[0]["loc"]], errors
    assert not {"count_over", "occupied"} & set(errors[0]["loc"]), "the kind is no part of the path"
    assert words in errors[0]["msg"], errors
    assert api.client.get("/v1/alert-rules").json() == before


def test_the_document_shows_bodies_with_examples_that_fit(api: Running) -> None:
    schemas = api.client.get("/v1/openapi.json").json()["components"]["schemas"]
    for model in (SnoozeBody, DismissBody, OutcomeBody, RuleList):
        assert model.model_validate_json(json.dumps(schemas[model.__name__]["examples"][0]))
    for kind in ("alert-not-found", "alert-over", "screening-not-found", "screening-closed"):
        assert api.client.get(f"/problems/{kind}").status_code == 200
    words = api.client.get("/v1/asyncapi.json").json()["components"]["messages"]["event"]["payload"]
    assert {"cause", "state", "kind", "actor"} <= set(words["properties"]["data"]["properties"])


def walkers(seconds: float, start_s: float = 0.0, seed: int = 0) -> FrameBlock:
    """A room in which things move, and of which the stand-in for the models says that somebody is there."""
    block = recording(seconds, 1, start_s, seed)
    np.clip(block.raw[:, :, :1].astype(int) * 2, -127, 127, out=block.raw[:, :, 1:2], casting="unsafe")
    return block


def alert_of(site: Site, kind: str) -> dict[str, Any]:
    def look() -> Any:
        items = site.client.get("/v1/alerts").json()["items"]
        return next((one for one in items if one["kind"] == kind), None)

    found: dict[str, Any] = wait_for(look, f"an alert of kind {kind}")
    return found


def dismissed(site: Site, alert: dict[str, Any], **more: Any) -> dict[str, Any]:
    answer = site.client.post(f"/v1/alerts/{alert['alert_id']}/dismiss", json={"false_alarm": True, **more})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    assert body["alert"]["state"] == "dismissed"
    return body


def test_a_false_alarm_of_presence_becomes_a_sample_of_the_empty_room(site: Site) -> None:
    site.send(walkers(30))
    done = dismissed(site, alert_of(site, "occupied"))
    sample = done["sample"]
    assert done["reason"] is None, done
    assert (sample["task"], sample["label"], sample["state"]) == ("presence", "vacant", "accepted")
    assert sample["origin"] == "false_alarm"
    assert sample["verdict"]["motion"] == 1
    assert sample["verdict"]["warnings"] == ["motion_overruled"]
    assert "false alarm" in sample["verdict"]["detail"]["motion_overruled"]
    assert done["alert"]["dismissed"]["sample"] == sample["id"]
    taken = get_sample(site.api.store, sample["id"])
    assert taken is not None
    assert taken.to_ns - taken.from_ns > 15 * S
    site.send(walkers(15, start_s=30, seed=3))
    assert [one["state"] for one in rows(site.api, alerts) if one["kind"] == "occupied"] == ["dismissed"]
    assert site.post(2, 12, label="vacant").json()["verdict"]["reasons"][-1] == "motion_contradicts"


def test_what_else_speaks_against_a_false_alarm_is_told_and_the_dismissal_stands(site: Site) -> None:
    site.send(walkers(30))
    alert = alert_of(site, "occupied")
    assert site.post(2, 28, label="occupied").json()["state"] == "accepted"
    done = dismissed(site, alert)
    assert done["reason"] == "the sample was rejected: duplicate"
    assert done["sample"]["state"] == "rejected"


def test_a_false_alarm_that_nobody_remembers_is_dismissed_without_a_sample(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker_samples, "PATIENCE_S", 0.2)
    site.send(walkers(12))
    alert = alert_of(site, "occupied")
    site.kill()
    site.start()
    done = dismissed(site, alert)
    assert done["sample"] is None
    assert "is held: nothing" in done["reason"]
    assert done["alert"]["dismissed"]["reason"] == done["reason"]


@pytest.mark.parametrize(
    ("span", "held", "asked"),
    [
        ((10, 30), (0, 60), (10, 30)),
        ((10, 12), (0, 60), (7, 12)),  # a short walk with what was before it
        ((0, 5000), (4000, 5100), (4400, 5000)),  # the newest ten minutes
        ((10, 30), (20, 60), (20, 30)),
        ((10, 30), (0, 25), (10, 25)),
        ((10, 12), (9, 60), (9, 14)),
        ((10, 12), (0, 11), (6, 11)),
        ((10, 12), (9, 13), (9, 13)),
        ((10, 30), (40, 60), None),
    ],
)
def test_of_a_span_so_much_is_labelled_as_is_held(
    span: tuple[int, int], held: tuple[int, int], asked: tuple[int, int] | None
) -> None:
    wanted = Span(span[0] * S, span[1] * S).newest(5 * S)
    found = wanted.within(Span(held[0] * S, held[1] * S), 5 * S)
    assert (None if found is None else (found.from_ns // S, found.to_ns // S)) == asked


def test_a_count_is_corrected_only_by_a_count(site: Site) -> None:
    many = {"id": "many", "kind": "count_over", "severity": "warning", "limit": 0}
    twice = {**many, "id": "again", "cooldown_s": 0}
    assert site.api.client.put("/v1/alert-rules", json={"items": [many, twice]}).status_code == 200
    site.send(walkers(20))

    def both() -> list[dict[str, Any]] | None:
        found = [one for one in rows(site.api, alerts) if one["kind"] == "count_over"]
        return found if len(found) == 2 else None

    first, second = wait_for(both, "both alerts")
    assert "count" in dismissed(site, first)["reason"]
    done = dismissed(site, second, count=3)
    assert done["reason"] is None
    assert (done["sample"]["label"], done["sample"]["state"]) == ("3", "accepted")


def test_a_rule_written_over_rest_takes_effect_in_the_worker(site: Site) -> None:
    site.send(frames_at(0, 12, people=5))
    rule = {"id": "crowded", "kind": "count_over", "severity": "critical", "limit": 4}
    assert site.api.client.put("/v1/alert-rules", json={"items": [rule]}).status_code == 200
    alert = alert_of(site, "count_over")
    assert (alert["rule"], alert["severity"], alert["state"]) == ("crowded", "critical", "raised")
    site.client.post(f"/v1/alerts/{alert['alert_id']}/acknowledge")
    assert site.api.client.put("/v1/alert-rules", json={"items": []}).status_code == 200
    wait_for(lambda: alert_of(site, "count_over")["state"] == "cleared", "it to be cleared")
    assert last_event(site.api)["data"]["cause"] == "rule_changed"


def frames_at(start: float, seconds: float, people: int) -> FrameBlock:
    """Frames on the time axis of `recording`."""
    block = frames(start, seconds, people=people)
    block.table["capture_ns"] += recording(1, 0).table["capture_ns"][0] // S * S - 1_600_000_000 * S
    return block


def walk(site: Site) -> None:
    """Nobody for a while, and then somebody who carries metal."""
    site.send(frames_at(0, 12, people=0))
    site.send(frames_at(12, 12, people=METAL))


@pytest.mark.parametrize("found", ["metal", "none"])
def test_the_outcome_of_a_screening_is_a_labelled_walk(site: Site, found: str) -> None:
    walk(site)
    alert = alert_of(site, "suspicious_object")
    (item,) = site.client.get("/v1/screenings", params={"state": "open"}).json()["items"]
    assert (item["alert_id"], item["room"], item["state"]) == (alert["alert_id"], "lab", "open")
    path = f"/v1/screenings/{item['id']}/outcome"
    problem(site.client.post(path, json={"found": "gold"}), 422, "validation")
    done = site.client.post(path, json={"found": found})
    assert done.status_code == 200, done.text
    closed = done.json()
    assert (closed["state"], closed["found"], closed["reason"]) == ("closed", found, None)
    (sample,) = site.rows(samples)
    assert (sample["sample"], sample["task"], sample["label"]) == (
        closed["sample"],
        "suspicious_object",
        found,
    )
    assert rfc3339(sample["from_ns"]) == item["from"]
    problem(site.client.post(path, json={"found": found}), 409, "screening-closed")
    problem(
        site.client.post("/v1/screenings/scr-0/outcome", json={"found": "none"}), 404, "screening-not-found"
    )
    assert site.client.get("/v1/screenings", params={"state": "open"}).json()["items"] == []
    (entry,) = [row for row in site.rows(audit) if row["action"] == "screening.closed"]
    assert (entry["target"], entry["detail"]["found"]) == ("lab", found)


def test_a_screening_whose_walk_is_forgotten_is_closed_and_says_so(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    walk(site)
    alert_of(site, "suspicious_object")
    monkeypatch.setattr(worker_samples, "PATIENCE_S", 0.2)
    site.kill()
    site.start()
    (item,) = site.rows(screenings)
    local = site.api.client_of(site.api.new_key(Role.OPERATOR, room="other"))
    with local:
        assert local.get("/v1/screenings").json()["items"] == []
        path = f"/v1/screenings/{item['screening']}/outcome"
        problem(local.post(path, json={"found": "none"}), 404, "screening-not-found")
    closed = site.client.post(path, json={"found": "metal"}).json()
    assert (closed["state"], closed["sample"]) == ("closed", None)
    assert "is held: nothing" in closed["reason"]


def test_a_dismissed_object_is_a_walk_without_one(site: Site) -> None:
    walk(site)
    done = dismissed(site, alert_of(site, "suspicious_object"))
    assert (done["sample"]["task"], done["sample"]["label"]) == ("suspicious_object", "none")
