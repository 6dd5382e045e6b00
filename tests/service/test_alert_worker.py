"""Alerts in the worker with a real store: rules that change, people's deeds, restarts, what is written."""

import time
from collections.abc import Sequence
from typing import Any

from service.rooms.alerting.alert import AlertState, Cause
from service.rooms.alerting.rules import BUILT_IN, rule_of
from service.rooms.config import RoomConfig
from service.state import unix_ns
from service.store.alert_actions import Action, act
from service.store.alert_rules import list_rules, put_rules
from service.store.rooms import delete_room, put_room
from service.store.schema import alert_waits, alerts, screenings
from tests.service.bench import Bench
from tests.service.frames import METAL, T0, S, Talker, frames

KINDS = ("presence", "counting", "suspicious_object")


def write(bench: Bench, *rules: dict[str, Any]) -> None:
    """As the API does: written, then told."""
    made = [rule_of({"severity": "warning", **rule}) for rule in rules]
    put_rules(bench.store, made, check=lambda _: None, actor="test")
    bench.api.publish("alerts", {})


def room(bench: Bench, tasks: Sequence[str] = KINDS) -> Talker:
    config = RoomConfig.model_validate({"links": ["l1"], "tasks": list(tasks)})
    put_room(bench.store, "b", config, check=lambda _: None, actor="test", nics={})
    bench.api.publish("rooms", {})
    bench.turn()
    return bench.talker()


def say(bench: Bench, talker: Talker, start: int, seconds: int, people: int) -> None:
    talker.send(frames(start, seconds, people=people, first=talker.published))
    bench.turn(seconds)


def told(bench: Bench) -> list[tuple[str, str, str]]:
    return [
        (row["data"]["rule"], row["type"].rsplit(".", 1)[1], row["data"]["cause"])
        for row in bench.told("alert.")
    ]


def deed(bench: Bench, action: Action) -> str:
    (alert,) = (row["alert_id"] for row in bench.rows(alerts) if row["holds"])
    act(bench.store, alert, action, actor="test")
    bench.api.publish("alerts", {})
    bench.turn()
    return str(alert)


def test_a_new_store_begins_with_the_built_in_rules(bench: Bench) -> None:
    assert list_rules(bench.store) == list(BUILT_IN)


def test_a_rule_counts_from_the_turn_after_it_was_written(bench: Bench) -> None:
    write(bench)
    talker = room(bench)
    say(bench, talker, 0, 8, people=5)
    assert told(bench) == []
    write(bench, {"id": "crowded", "kind": "count_over", "limit": 3})
    bench.worker.turn(0.0)
    assert told(bench) == [("crowded", "raised", "condition")], "what is known already is judged"
    write(bench, {"id": "crowded", "kind": "count_over", "limit": 9})
    bench.worker.turn(0.0)
    assert told(bench)[1:] == [("crowded", "cleared", "condition")]


def test_a_count_over_the_limit_for_long_is_raised_in_capture_time(bench: Bench) -> None:
    write(bench, {"id": "crowded", "kind": "count_over", "limit": 3, "hold_s": 20})
    talker = room(bench)
    say(bench, talker, 0, 18, people=5)
    assert told(bench) == []
    assert [row["since_ns"] for row in bench.rows(alert_waits)] == [T0 + 3 * S]
    say(bench, talker, 18, 8, people=5)
    assert told(bench) == [("crowded", "raised", "condition")]
    assert bench.rows(alert_waits) == []
    (event,) = bench.told("alert.raised")
    assert event["data"]["before"]["value"] is None, "before the hold began nothing was known"
    assert event["data"]["after"]["value"] == 5


def test_a_wait_goes_on_after_a_restart_without_the_time_between(bench: Bench) -> None:
    write(bench, {"id": "crowded", "kind": "count_over", "limit": 3, "hold_s": 20})
    talker = room(bench)
    say(bench, talker, 0, 13, people=5)
    bench.restart()
    heir = bench.talker(session="s2")
    say(bench, heir, 23, 11, people=5)
    assert told(bench) == []
    say(bench, heir, 34, 8, people=5)
    assert told(bench) == [("crowded", "raised", "condition")]


def test_open_alerts_and_cooldowns_outlive_the_worker(bench: Bench) -> None:
    write(bench, {"id": "in", "kind": "occupied", "cooldown_s": 600})
    talker = room(bench)
    say(bench, talker, 0, 8, people=1)
    bench.restart()
    heir = bench.talker(session="s2")
    say(bench, heir, 20, 50, people=0)
    assert told(bench) == [("in", "raised", "condition"), ("in", "cleared", "condition")]
    bench.restart()
    third = bench.talker(session="s3")
    say(bench, third, 80, 10, people=1)
    assert len(told(bench)) == 2, "the cooldown is not over"
    bench.later(601)
    say(bench, third, 90, 10, people=1)
    assert told(bench)[2:] == [("in", "raised", "condition")]


def test_unknown_neither_raises_nor_clears(bench: Bench) -> None:
    talker = room(bench, ["presence"])
    say(bench, talker, 0, 8, people=1)
    bench.later(60)
    assert bench.state()["status"] == "unknown"
    assert [row["state"] for row in bench.rows(alerts) if row["kind"] == "occupied"] == ["raised"]
    assert [row for row in told(bench) if row[0] == "room_occupied"] == [
        ("room_occupied", "raised", "condition")
    ]


def test_a_link_lost_is_held_and_cleared_by_the_hosts_clock(bench: Bench) -> None:
    write(bench, {"id": "gone", "kind": "link_lost", "hold_s": 120})
    talker = room(bench)
    say(bench, talker, 0, 6, people=0)
    bench.later(60)
    assert told(bench) == []
    bench.restart()
    bench.later(125)
    assert told(bench) == [("gone", "raised", "condition")]
    (event,) = bench.told("alert.raised")
    assert (event["data"]["before"], event["data"]["after"]) == ({"lost": False}, {"lost": True})
    heir = bench.talker(session="s2")
    say(bench, heir, 300, 6, people=0)
    assert told(bench)[1:] == [("gone", "cleared", "condition")]


def test_an_alert_nobody_answers_escalates_and_says_so(bench: Bench) -> None:
    write(
        bench,
        {"id": "in", "kind": "occupied", "escalation": [{"severity": "critical", "after_s": 300}]},
    )
    talker = room(bench)
    say(bench, talker, 0, 8, people=1)
    bench.later(299)
    bench.later(2)
    (event,) = bench.told("alert.updated")
    assert (event["severity"], event["data"]["cause"]) == ("critical", "escalated")
    assert event["data"]["before"]["severity"] == "warning"
    assert event["data"]["after"] == {"state": "raised", "severity": "critical", "snoozed_until": None}
    assert event["data"]["source"] == "live"
    (row,) = bench.rows(alerts)
    assert (row["severity"], list(row["doc"]["reached"])) == ("critical", ["warning", "critical"])


def test_a_snoozed_alert_comes_back_and_an_acknowledged_one_stays_so(bench: Bench) -> None:
    talker = room(bench, ["presence"])
    say(bench, talker, 0, 8, people=1)
    until = time.time_ns() + 100 * S
    alert = deed(bench, Action(AlertState.SNOOZED, Cause.SNOOZED, until))
    bench.restart()
    assert [row["state"] for row in bench.rows(alerts)] == ["snoozed"]
    bench.later(101)
    ours = [row for row in bench.rows(alerts) if row["alert_id"] == alert]
    assert [(row["state"], row["snoozed_until_ns"]) for row in ours] == [("raised", None)]
    causes = [row["data"]["cause"] for row in bench.told("alert.updated") if row["data"]["alert_id"] == alert]
    assert causes == ["snoozed", "snooze_over"]


def test_a_dismissed_alert_stays_quiet_over_a_restart_until_its_condition_ends(bench: Bench) -> None:
    write(bench, {"id": "in", "kind": "occupied"})
    talker = room(bench)
    say(bench, talker, 0, 8, people=1)
    deed(bench, Action(AlertState.DISMISSED, Cause.DISMISSED))
    bench.restart()
    heir = bench.talker(session="s2")
    say(bench, heir, 20, 10, people=1)
    assert told(bench) == [("in", "raised", "condition"), ("in", "cleared", "dismissed")]
    say(bench, heir, 30, 50, people=0)
    assert len(told(bench)) == 2, "nobody is told of the end of what was dismissed"
    assert [(row["state"], row["holds"]) for row in bench.rows(alerts)] == [("dismissed", False)]
    say(bench, heir, 80, 10, people=1)
    assert told(bench)[2:] == [("in", "raised", "condition")]


def test_who_dismisses_what_the_worker_clears_in_the_same_moment_is_told_once(bench: Bench) -> None:
    write(bench, {"id": "many", "kind": "count_over", "limit": 0})
    talker = room(bench, ["counting"])
    say(bench, talker, 0, 8, people=1)
    (alert,) = (row["alert_id"] for row in bench.rows(alerts))
    act(bench.store, alert, Action(AlertState.DISMISSED, Cause.DISMISSED), actor="test")
    say(bench, talker, 8, 10, people=0)  # the worker was not told
    assert told(bench) == [("many", "raised", "condition"), ("many", "cleared", "dismissed")]
    assert [(row["state"], row["holds"]) for row in bench.rows(alerts)] == [("dismissed", False)]


def test_a_suspicious_object_opens_a_screening_of_its_walk(bench: Bench) -> None:
    talker = room(bench)
    say(bench, talker, 0, 8, people=METAL)
    (alert,) = (row for row in bench.rows(alerts) if row["kind"] == "suspicious_object")
    assert alert["severity"] == "critical"
    (item,) = bench.rows(screenings)
    assert (item["alert_id"], item["state"], item["room"]) == (alert["alert_id"], "open", "b")
    walk = alert["doc"]["after"]["walk"]
    assert item["to_ns"] - item["from_ns"] == 5 * S
    assert item["from_ns"] <= round(walk["from_s"] * 1e9)
    delete_room(bench.store, "b", check=lambda _: None, actor="test")
    assert bench.rows(screenings) == bench.rows(alert_waits) == bench.rows(alerts) == []
    (over,) = [row for row in bench.told("alert.cleared") if row["data"]["kind"] == "suspicious_object"]
    assert (over["data"]["cause"], over["data"]["state"]) == ("room_deleted", "cleared")


def test_the_span_of_an_alert_is_written_when_it_is_over(bench: Bench) -> None:
    write(bench, {"id": "many", "kind": "count_over", "limit": 0})
    talker = room(bench, ["counting"])
    say(bench, talker, 0, 8, people=1)
    say(bench, talker, 8, 10, people=0)
    (row,) = bench.rows(alerts)
    assert row["state"] == "cleared"
    assert unix_ns(row["doc"]["after"]["window"]["to"]) > row["to_ns"]
    assert row["from_ns"] < row["to_ns"] <= T0 + 13 * S
