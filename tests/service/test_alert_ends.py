"""Alerts that must end though nothing is known of their room, and rooms, links and tasks that leave."""

from datetime import UTC, datetime, timedelta
from typing import Any

from service.events import Severity
from service.rooms.alerting.alert import Alert, AlertChange, AlertState, Cause, Key
from service.rooms.alerting.rules import DRIFT, tells
from service.rooms.config import RoomConfig
from service.store.alert_actions import Action, act
from service.store.erasing import Range, erase
from service.store.rooms import delete_room, put_room
from service.store.schema import alert_waits, alerts
from service.worker.batch import Batch
from tests.service.bench import Bench
from tests.service.frames import S
from tests.service.test_alert_worker import deed, room, say, told, write

STEP = [{"severity": "critical", "after_s": 600}]
LONG_AGO = Range(0, 1_000_000_000 * S)


def put(bench: Bench, name: str, links: list[str], *tasks: str) -> None:
    config = RoomConfig.model_validate({"links": links, "tasks": list(tasks or ("presence",))})
    put_room(bench.store, name, config, check=lambda _: None, actor="test", nics={})
    bench.api.publish("rooms", {})


def daily(begin: timedelta, duration_s: int) -> dict[str, Any]:
    """Every day, at first so long from now."""
    start = (datetime.now(UTC) + begin).strftime("%Y-%m-%dT%H:%M:%S")
    return {"rrule": "FREQ=DAILY", "duration_s": duration_s, "time_zone": "UTC", "start": start}


def standing(bench: Bench) -> list[tuple[str, str, bool]]:
    return [(row["room"], row["state"], row["holds"]) for row in bench.rows(alerts)]


def test_a_schedule_that_ended_while_no_worker_ran_clears_though_nothing_is_known(bench: Bench) -> None:
    hour = daily(timedelta(hours=-1), 3600 + 120)
    write(bench, {"id": "in", "kind": "occupied", "schedule": hour, "escalation": STEP})
    say(bench, room(bench, ["presence"]), 0, 8, people=1)
    bench.skew += 180 * S
    bench.restart()
    assert told(bench) == [("in", "raised", "condition"), ("in", "cleared", "schedule_over")]
    bench.later(700)
    assert len(told(bench)) == 2
    assert standing(bench) == [("b", "cleared", False)]


def test_a_rule_edited_so_that_it_does_not_count_now_clears_though_nothing_is_known(bench: Bench) -> None:
    write(bench, {"id": "in", "kind": "occupied"})
    say(bench, room(bench, ["presence"]), 0, 8, people=1)
    bench.later(60)
    assert bench.state()["status"] == "unknown"
    later = daily(timedelta(hours=5), 3600)
    write(bench, {"id": "in", "kind": "occupied", "schedule": later, "escalation": STEP})
    bench.turn(1)
    assert told(bench)[1:] == [("in", "cleared", "schedule_over")]


def test_a_task_that_leaves_the_room_takes_its_alerts_along(bench: Bench) -> None:
    write(bench, {"id": "in", "kind": "occupied"}, {"id": "many", "kind": "count_over", "limit": 0})
    talker = room(bench, ["presence", "counting"])
    say(bench, talker, 0, 8, people=1)
    put(bench, "b", ["l1"], "counting")
    bench.turn(1)
    assert [one for one in told(bench) if one[0] == "in"][1:] == [("in", "cleared", "rule_changed")]
    assert [row["rule"] for row in bench.rows(alerts) if row["holds"]] == ["many"]
    write(bench, {"id": "in", "kind": "occupied", "hold_s": 1}, {"id": "in2", "kind": "occupied"})
    bench.turn(1)
    assert "in2" not in {rule for rule, *_ in told(bench)}, "what the task said last counts no more"


def test_a_task_that_left_while_no_worker_ran_takes_its_alerts_along(bench: Bench) -> None:
    write(bench, {"id": "in", "kind": "occupied"})
    say(bench, room(bench, ["presence"]), 0, 8, people=1)
    put(bench, "b", ["l1"], "counting")
    bench.restart()
    assert standing(bench) == [("b", "cleared", False)]


def test_a_link_that_left_while_no_worker_ran_is_lost_no_more(bench: Bench) -> None:
    write(bench, {"id": "gone", "kind": "link_lost"})
    say(bench, room(bench, ["presence"]), 0, 6, people=0)
    bench.later(60)
    put(bench, "b", [])
    put(bench, "c", ["l1"])
    bench.restart()
    (over,) = bench.told("alert.cleared")
    assert (over["room"], over["data"]["reason"]) == ("b", "link_removed")
    assert standing(bench) == [("b", "cleared", False)]
    heir = bench.talker(session="s2", room="c")
    say(bench, heir, 100, 6, people=0)
    bench.later(60)
    assert standing(bench)[1:] == [("c", "raised", True)], "it is watched where it is now"


def test_a_room_made_again_under_its_name_knows_nothing_of_the_one_before(bench: Bench) -> None:
    write(bench, {"id": "in", "kind": "occupied"})
    talker = room(bench, ["presence"])
    say(bench, talker, 0, 8, people=1)
    old = bench.rows(alerts)[0]["alert_id"]
    delete_room(bench.store, "b", check=lambda _: None, actor="test")
    put(bench, "b", ["l1"])
    bench.turn(1)
    assert bench.state() == {}
    assert bench.worker.sampling.recent.span("b") is None
    say(bench, talker, 8, 10, people=1)
    (alert,) = bench.rows(alerts)
    assert (alert["state"], alert["alert_id"] != old) == ("raised", True)
    assert bench.state()["last_known"] is None


def test_a_snooze_that_is_over_before_the_worker_hears_of_it_ends(bench: Bench) -> None:
    write(bench, {"id": "in", "kind": "occupied"})
    say(bench, room(bench, ["presence"]), 0, 8, people=1)
    (alert,) = (row["alert_id"] for row in bench.rows(alerts))
    bench.skew += 30 * S
    until_ns = bench.worker._now_ns() - S
    act(bench.store, alert, Action(AlertState.SNOOZED, Cause.SNOOZED, until_ns), actor="test")
    bench.turn()
    assert [(row["state"], row["snoozed_until_ns"]) for row in bench.rows(alerts)] == [("raised", None)]
    assert told(bench)[-1] == ("in", "updated", "snooze_over")


def test_erasing_another_time_leaves_open_alerts_to_their_condition(bench: Bench) -> None:
    write(bench, {"id": "in", "kind": "occupied"})
    talker = room(bench, ["presence"])
    say(bench, talker, 0, 8, people=1)
    erase(bench.store, "b", LONG_AGO, actor="test")
    bench.turn()
    assert standing(bench) == [("b", "raised", True)]
    say(bench, talker, 8, 45, people=0)
    assert told(bench) == [("in", "raised", "condition"), ("in", "cleared", "condition")]
    bench.restart()
    say(bench, bench.talker(session="s2"), 60, 10, people=1)
    assert [row["state"] for row in bench.rows(alerts)] == ["cleared", "raised"]


def test_what_was_dismissed_stays_quiet_when_another_time_is_erased(bench: Bench) -> None:
    write(bench, {"id": "in", "kind": "occupied"})
    talker = room(bench, ["presence"])
    say(bench, talker, 0, 8, people=1)
    deed(bench, Action(AlertState.DISMISSED, Cause.DISMISSED))
    erase(bench.store, "b", LONG_AGO, actor="test")
    bench.turn()
    say(bench, talker, 8, 10, people=1)
    assert standing(bench) == [("b", "dismissed", True)]


def test_a_link_that_is_lost_is_told_again_after_everything_was_erased(bench: Bench) -> None:
    write(bench, {"id": "gone", "kind": "link_lost"})
    say(bench, room(bench, ["presence"]), 0, 6, people=0)
    bench.later(60)
    erase(bench.store, "b", Range(), actor="test")
    bench.turn()
    assert told(bench)[-2:] == [("gone", "cleared", "room_erased"), ("gone", "raised", "condition")]
    assert standing(bench) == [("b", "raised", True)]


def test_after_an_erasure_nothing_waits_any_more(bench: Bench) -> None:
    write(bench, {"id": "in", "kind": "occupied", "hold_s": 600})
    say(bench, room(bench, ["presence"]), 0, 8, people=1)
    assert len(bench.rows(alert_waits)) == 1
    erase(bench.store, "b", LONG_AGO, actor="test")
    bench.turn()
    assert bench.rows(alert_waits) == []


def test_what_is_forgotten_of_a_room_is_the_end_of_what_was_dismissed_too() -> None:
    alert = Alert("a1", Key("in", "b", "presence"), "occupied", Severity.INFO, 0, AlertState.DISMISSED)
    batch = Batch(settled=[AlertChange(None, alert, alert, Cause.CONDITION)])
    batch.forget("c")
    assert len(batch.settled) == 1
    batch.forget("b")
    assert batch.settled == [], "the store says that it stands, and so does the book"


def test_drift_is_told_where_presence_says_when_a_room_is_empty() -> None:
    assert tells(RoomConfig(tasks=["presence"]), DRIFT)
    assert not tells(RoomConfig(tasks=["counting"]), DRIFT), "its score would stand still for ever"
