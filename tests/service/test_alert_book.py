"""The book of alerts: what must hold for every sequence of facts, hours and deeds, and each kind of rule."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from models.prediction import JsonValue
from service.events import EventType, Severity
from service.rooms.alerting.alert import AlertChange, AlertState, Cause, Fact, Key
from service.rooms.alerting.book import AlertBook
from service.rooms.alerting.case import LONGEST_BREAK_S, Case
from service.rooms.alerting.rules import BUILT_IN, AlertRule, rule_of
from service.rooms.config import RoomConfig

S = 1_000_000_000
START = 1_800_000_000 * S
CAPTURE = 1_600_000_000 * S
"""Capture time is another axis, so that no test can mistake one for the other."""


def rule(kind: str = "occupied", **more: Any) -> AlertRule:
    return rule_of({"id": "r", "kind": kind, "severity": "warning", **more})


def there(**tags: dict[str, str]) -> dict[str, RoomConfig]:
    """Rooms by name with these tags, which do everything."""
    return {name: RoomConfig(tags=one, tasks=list(VALUES)) for name, one in tags.items()}


def book(*rules: AlertRule, **tags: dict[str, str]) -> AlertBook:
    made = AlertBook()
    made.read(rules, there(**tags) if tags else there(b={}), START)
    return made


def fact(second: float, value: JsonValue, about: str = "presence", room: str = "b", **more: Any) -> Fact:
    """What is known `second` after the start: capture and host time run alike from there."""
    at_ns = CAPTURE + round(second * S)
    given = {"about": about, "subject": about, "value": value, "from_ns": at_ns - 4 * S, **more}
    return Fact(room=room, at_ns=at_ns, now_ns=START + round(second * S), **given)


def see(made: AlertBook, said: dict[float, JsonValue], **more: Any) -> list[str]:
    """Facts at these seconds; what came of each: `5 raised warning`."""
    return [
        word
        for second, value in said.items()
        for word in words(second, made.judge(fact(second, value, **more)))
    ]


def words(second: float, changes: list[AlertChange]) -> list[str]:
    return [
        f"{second:g} {(one.kind or 'untold').rsplit('.', 1)[-1]} {one.alert.severity} {one.cause}"
        for one in changes
    ]


def later(made: AlertBook, second: float) -> list[str]:
    return words(second, made.look(START + round(second * S)))


RULES = st.builds(
    lambda kind, hold, cooldown, steps, n: rule_of(
        {
            "id": f"r{n}",
            "kind": kind,
            "severity": "info",
            "hold_s": max(hold, 60) if kind == "inactivity" else hold,
            "cooldown_s": cooldown,
            "escalation": [{"severity": "critical", "after_s": steps}] if steps else [],
            **({"limit": 3} if kind == "count_over" else {}),
        }
    ),
    st.sampled_from(["occupied", "inactivity", "count_over", "suspicious_object"]),
    st.sampled_from([0, 2, 10]),
    st.sampled_from([0, 5, 60]),
    st.sampled_from([0, 3, 30]),
    st.integers(0, 3),
)
VALUES: dict[str, list[JsonValue]] = {
    "presence": ["occupied", "vacant", None],
    "counting": [0, 3, 4, 9, None],
    "suspicious_object": ["none", "metal", "liquid", None],
}
FACTS = st.sampled_from([(about, value) for about, values in VALUES.items() for value in values])
DEEDS = st.sampled_from([AlertState.ACKNOWLEDGED, AlertState.SNOOZED, AlertState.DISMISSED])
STEPS = st.lists(st.tuples(st.integers(1, 40), st.one_of(FACTS, DEEDS)), max_size=40)


@settings(max_examples=150)
@given(st.lists(RULES, min_size=1, max_size=4, unique_by=lambda one: one.id), STEPS)
def test_whatever_happens_the_log_of_alerts_makes_sense(
    rules: list[AlertRule], steps: list[tuple[int, Any]]
) -> None:
    made, second = book(*rules), 0
    standing: dict[Key, AlertChange] = {}
    dismissed: set[Key] = set()
    raised: dict[tuple[str, str], int] = {}
    by_id = {one.id: one for one in rules}
    for step, happening in steps:
        second += step
        now = START + second * S
        if isinstance(happening, AlertState):
            left = {key: change for key, change in standing.items() if key not in dismissed}
            made.mark({one.alert.alert_id: (happening, now + 20 * S) for one in left.values()})
            dismissed |= set(left) if happening is AlertState.DISMISSED else set()
            changes, unknown = [], False
        else:
            about, value = happening
            changes = made.judge(fact(second, value, about))
            unknown = value is None
            assert not (unknown and changes)
        for change in changes + made.look(now):
            key, owner = change.alert.key, by_id[change.alert.key.rule]
            if change.kind is EventType.ALERT_RAISED:
                assert key not in standing
                assert not (unknown and owner.about == happening[0])
                seen = (owner.kind, change.alert.severity)
                plain = change.alert.severity == owner.severity
                assert not plain or now - raised.get(seen, -(10**20)) >= owner.cooldown_s * S
                standing[key] = change
            elif change.kind is EventType.ALERT_UPDATED:
                assert key not in dismissed
                assert change.before is not None
                assert change.alert.severity.rank >= change.before.severity.rank
                assert change.alert.alert_id == standing[key].alert.alert_id
            else:
                assert (change.kind is None) == (key in dismissed)
                assert change.alert.alert_id == standing.pop(key).alert.alert_id
                dismissed.discard(key)
            raised |= {(owner.kind, severity): when for severity, when in change.alert.reached.items()}
    assert set(standing) <= {key for owner in rules for key in made.cases(owner.kind)}


@given(st.lists(st.sampled_from(["occupied", "vacant", None]), max_size=40))
def test_of_one_room_alerts_alternate_and_follow_what_was_last_known(values: list[str | None]) -> None:
    made, told = book(BUILT_IN[0]), []
    for second, value in enumerate(values):
        told += made.judge(fact(second, value))
    kinds = [change.kind for change in told]
    assert kinds == [EventType.ALERT_RAISED, EventType.ALERT_CLEARED] * (len(kinds) // 2) + (
        [EventType.ALERT_RAISED] * (len(kinds) % 2)
    )
    known = [value for value in values if value]
    assert bool(made.cases("occupied")) == bool(known and known[-1] == "occupied")


def test_a_hold_counts_capture_time_in_which_the_condition_was_known_to_hold() -> None:
    made = book(rule(hold_s=10))
    said: dict[float, JsonValue] = dict.fromkeys(range(6), "occupied") | dict.fromkeys(range(6, 20))
    assert see(made, said | dict.fromkeys(range(20, 26), "occupied")) == ["25 raised warning condition"]
    made = book(rule(hold_s=10))
    broken: dict[float, JsonValue] = dict.fromkeys(range(9), "occupied") | {9: None}
    assert see(made, broken) == []
    again = 9 + LONGEST_BREAK_S
    assert see(made, {again + n: "occupied" for n in range(12)}) == [
        f"{again + 10:g} raised warning condition"
    ]


def test_a_condition_that_ends_before_its_hold_is_no_alert() -> None:
    made = book(rule(hold_s=10))
    assert see(made, {0: "occupied", 5: "vacant", 6: "occupied", 15: "occupied"}) == []
    assert see(made, {16: "occupied"}) == ["16 raised warning condition"]


def test_of_a_room_and_kind_the_next_alert_waits_until_the_cooldown_is_over() -> None:
    made = book(rule(cooldown_s=60), b={}, c={})
    assert see(made, {0: "occupied", 5: "vacant", 10: "occupied"}) == [
        "0 raised warning condition",
        "5 cleared warning condition",
    ]
    assert see(made, {10: "occupied"}, room="c") == ["10 raised warning condition"]
    assert later(made, 59) == []
    assert later(made, 61) == ["61 raised warning condition"]


def test_what_is_held_back_is_not_raised_while_nothing_is_known() -> None:
    made = book(rule(cooldown_s=60))
    see(made, {0: "occupied", 5: "vacant", 10: "occupied", 20: None})
    assert later(made, 100) == []
    assert see(made, {101: "occupied"}) == ["101 raised warning condition"]


def test_escalation_waits_for_no_cooldown_and_stops_where_somebody_answered() -> None:
    step = [{"severity": "critical", "after_s": 30}]
    made = book(rule(cooldown_s=600, escalation=step))
    see(made, {0: "occupied"})
    assert later(made, 29) == []
    assert later(made, 30) == ["30 updated critical escalated"]
    assert later(made, 31) == []
    answered = book(rule(escalation=step))
    (raised,) = answered.judge(fact(0, "occupied"))
    answered.mark({raised.alert.alert_id: (AlertState.ACKNOWLEDGED, None)})
    assert later(answered, 3000) == []


def test_a_higher_count_escalates_whoever_acknowledged_and_bypasses_the_cooldown() -> None:
    made = book(
        rule("count_over", limit=10, cooldown_s=600, escalation=[{"severity": "critical", "limit": 20}])
    )
    (raised,) = made.judge(fact(0, 11, "counting"))
    made.mark({raised.alert.alert_id: (AlertState.ACKNOWLEDGED, None)})
    (worse,) = made.judge(fact(1, 21, "counting"))
    assert (worse.alert.severity, worse.alert.state) == (Severity.CRITICAL, AlertState.RAISED)
    assert worse.before is not None
    assert worse.before.state is AlertState.ACKNOWLEDGED
    assert see(made, {2: 12, 3: 10, 4: 12, 5: 30, 6: 5}, about="counting") == [
        "3 cleared critical condition",
        "5 raised critical condition",
        "6 cleared critical condition",
    ]


def test_a_snoozed_alert_says_nothing_until_it_is_over_and_then_comes_back() -> None:
    made = book(rule(escalation=[{"severity": "critical", "after_s": 10}]))
    (raised,) = made.judge(fact(0, "occupied"))
    made.mark({raised.alert.alert_id: (AlertState.SNOOZED, START + 60 * S)})
    assert see(made, {20: None, 21: "occupied"}) == []
    assert later(made, 59) == []
    assert later(made, 60) == ["60 updated warning snooze_over"]
    assert later(made, 61) == ["61 updated critical escalated"]
    made.mark({raised.alert.alert_id: (AlertState.SNOOZED, START + 600 * S)})
    assert see(made, {70: "vacant"}) == ["70 cleared critical condition"]


def test_what_was_dismissed_is_not_raised_again_before_its_condition_has_ended() -> None:
    made = book(rule(escalation=[{"severity": "critical", "after_s": 10}]))
    (raised,) = made.judge(fact(0, "occupied"))
    made.mark({raised.alert.alert_id: (AlertState.DISMISSED, None)})
    assert see(made, {1: "occupied", 2: None, 3: "occupied"}) == []
    assert later(made, 100) == []
    assert see(made, {101: "vacant", 102: "occupied"}) == [
        "101 untold warning condition",
        "102 raised warning condition",
    ]


NIGHT = {"rrule": "FREQ=DAILY;BYHOUR=18", "duration_s": 43200, "time_zone": "UTC"}
EVENING = (18 * 3600 - START // S) % 86400
"""Seconds from the start to 18:00."""


def test_after_hours_begin_and_end_by_the_clock_whatever_the_room_says() -> None:
    made = book(rule(schedule=NIGHT))
    morning = EVENING - 8 * 3600
    made.read([rule(schedule=NIGHT)], there(b={}, c={}), START + morning * S)
    assert see(made, {morning: "occupied"}) == []
    assert later(made, EVENING - 1) == []
    assert later(made, EVENING) == [f"{EVENING} raised warning condition"]
    see(made, {EVENING + 5: None})
    end = EVENING + 43200
    assert later(made, end - 1) == []
    assert later(made, end) == [f"{end} cleared warning schedule_over"]
    outside = book(rule(schedule=NIGHT, when="outside"))
    outside.read([rule(schedule=NIGHT, when="outside", hold_s=1)], there(b={}), START + EVENING * S)
    assert see(outside, {EVENING + 1: "occupied", EVENING + 9: "occupied"}) == []


def test_inactivity_is_nobody_seen_for_long_and_not_nobody_heard_of() -> None:
    made = book(rule("inactivity", hold_s=60))
    assert see(made, dict.fromkeys(range(0, 200, 10))) == []
    assert see(made, dict.fromkeys(range(200, 270, 2), "vacant"))[0] == "260 raised warning condition"
    assert see(made, {300: "occupied"}) == ["300 cleared warning condition"]


def test_another_object_is_told_and_one_not_asked_about_is_none() -> None:
    made = book(rule("suspicious_object"))
    assert see(made, {0: "metal", 1: "metal", 2: "liquid", 3: "none"}, about="suspicious_object") == [
        "0 raised warning condition",
        "2 updated warning value",
        "3 cleared warning condition",
    ]
    metal = book(rule("suspicious_object", objects=["metal"]))
    assert see(metal, {0: "liquid"}, about="suspicious_object") == []


def test_links_of_one_room_have_alerts_of_their_own_and_are_held_by_the_hosts_clock() -> None:
    made = book(rule("link_lost", hold_s=30))
    for link in ("l1", "l2"):
        now = START
        assert made.judge(Fact("b", "link", link, True, now, now)) == []
    assert later(made, 29) == []
    assert later(made, 30) == ["30 raised warning condition"] * 2
    back = START + 40 * S
    (cleared,) = made.judge(Fact("b", "link", "l1", False, back, back))
    assert cleared.alert.key == Key("r", "b", "l1")
    assert [key.subject for key in made.cases("link_lost")] == ["l2"]


def test_a_rule_counts_where_rooms_and_tags_say_and_leaves_with_its_alerts() -> None:
    rooms: dict[str, Any] = {"b": {"floor": "3"}, "c": {"floor": "4"}, "d": {"floor": "3"}}
    third = rule(tags={"floor": "3"}, rooms=["b", "c"])
    made = book(third, **rooms)
    assert [bool(see(made, {0: "occupied"}, room=room)) for room in rooms] == [True, False, False]
    (moved,) = made.read([third], there(**{**rooms, "b": {"floor": "5"}}), START + S)
    assert (moved.kind, moved.cause, moved.alert.key.room) == (
        EventType.ALERT_CLEARED,
        Cause.RULE_CHANGED,
        "b",
    )
    (raised,) = made.read([third], there(**rooms), START + 2 * S)
    assert raised.kind is EventType.ALERT_RAISED, "what is known already is judged by the new rules"
    (gone,) = made.read([replace_rule(third, enabled=False)], there(**rooms), START + 3 * S)
    assert gone.kind is EventType.ALERT_CLEARED


def test_a_rule_of_another_kind_under_the_same_id_is_another_rule() -> None:
    made = book(rule())
    see(made, {0: "occupied"})
    (gone,) = made.read([rule("inactivity")], there(b={}), START + S)
    assert (gone.kind, gone.alert.kind) == (EventType.ALERT_CLEARED, "occupied")


def test_a_changed_limit_is_judged_at_once() -> None:
    made = book(rule("count_over", limit=10))
    assert see(made, {0: 8}, about="counting") == []
    (raised,) = made.read([rule("count_over", limit=5)], there(b={}), START + S)
    assert raised.kind is EventType.ALERT_RAISED
    (cleared,) = made.read([rule("count_over", limit=9)], there(b={}), START + 2 * S)
    assert (cleared.kind, cleared.alert.alert_id) == (EventType.ALERT_CLEARED, raised.alert.alert_id)


def test_a_book_taken_over_goes_on_with_alerts_waits_and_cooldowns() -> None:
    made = book(rule(hold_s=10, cooldown_s=60))
    see(made, dict.fromkeys(range(6), "occupied"))
    assert made.waits == {Key("r", "b", "presence"): CAPTURE}
    left = [Case(key, int(since or 0), CAPTURE + 5 * S) for key, since in made.waits.items()]
    heir = AlertBook(left)
    heir.read([rule(hold_s=10, cooldown_s=60)], there(b={}), START)
    assert later(heir, 50) == [], "nothing is known to it yet"
    assert see(heir, dict.fromkeys(range(20, 26), "occupied")) == ["25 raised warning condition"]
    (cleared,) = heir.judge(fact(30, "vacant"))
    third = AlertBook(lately=[cleared.alert])
    third.read([rule(cooldown_s=60)], there(b={}), START)
    assert see(third, {31: "occupied", 90: "occupied"}) == ["90 raised warning condition"]


def test_an_event_tells_what_was_before_the_hold_began_and_what_is_now() -> None:
    made = book(rule(hold_s=4))
    made.judge(fact(0, "occupied", data={"before": "vacant", "after": "o0"}))
    (raised,) = made.judge(fact(4, "occupied", data={"before": "o0", "after": "o4"}))
    assert raised.data == {"before": "vacant", "after": "o4"}
    assert raised.alert.from_ns == CAPTURE - 4 * S
    (cleared,) = made.judge(fact(8, "vacant", data={"before": "o4", "after": "vacant"}))
    assert (cleared.data["after"], cleared.alert.to_ns) == ("vacant", CAPTURE + 4 * S)


def replace_rule(one: AlertRule, **changed: Any) -> AlertRule:
    return rule_of(json.loads(one.model_dump_json()) | changed)


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({"kind": "weather"}, "kind"),
        ({"severity": "loud"}, "severity"),
        ({"hold_s": -1}, "hold_s"),
        ({"hold_s": float("inf")}, "hold_s"),
        ({"rooms": []}, "rooms"),
        ({"limit": 3}, "limit"),
        ({"escalation": [{"severity": "info", "after_s": 3}]}, "escalation"),
        ({"escalation": [{"severity": "critical"}]}, "escalation"),
        ({"escalation": [{"severity": "critical", "limit": 3}]}, "escalation"),
        ({"schedule": {"rrule": "FREQ=SECONDLY", "duration_s": 60}}, "schedule"),
        ({"kind": "count_over"}, "limit"),
        ({"kind": "inactivity", "hold_s": 1}, "hold_s"),
        ({"id": "../x"}, "id"),
    ],
)
def test_a_rule_that_does_not_fit_is_told_where(change: dict[str, Any], where: str) -> None:
    with pytest.raises(ValidationError) as caught:
        rule(**{"kind": "occupied", **change})
    assert where in str(caught.value)


def test_a_new_rule_judges_what_nobody_asked_for_before() -> None:
    made = book()
    made.judge(Fact("b", "link", "l1", True, START, START))
    (raised,) = made.read([rule("link_lost")], there(b={}), START + S)
    assert (raised.kind, raised.alert.key) == (EventType.ALERT_RAISED, Key("r", "b", "l1"))
    made.forget_fact("b", "link", "l1")
    assert len(made.read([rule("link_lost", enabled=False)], there(b={}), START + S)) == 1
    assert made.read([rule("link_lost")], there(b={}), START + S) == []
