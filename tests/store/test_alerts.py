"""Alerts, what people do about them, rules and screenings, on both databases."""

import threading
from dataclasses import replace

import pytest

from models.prediction import JsonValue
from service.events import EventType, Severity
from service.rooms.alerting.alert import Alert, AlertChange, AlertState, Cause, Key
from service.rooms.alerting.rules import BUILT_IN, rule_of
from service.store.alert_actions import Action, AlertOverError, act, note_sample
from service.store.alert_book import read_cases, read_lately, read_marks, write_change, write_waits
from service.store.alert_rules import add_missing, etag_of, list_rules, put_rules
from service.store.alerts import alert_page, alert_span, get_alert
from service.store.engine import Store
from service.store.eventlog import read_events
from service.store.screenings import close, get_screening, note_outcome, screening_page

NOW = 1_800_000_000_000_000_000
KEY = Key("gate", "lab", "suspicious_object")
ALERT = Alert(
    alert_id="a1",
    key=KEY,
    kind="suspicious_object",
    severity=Severity.CRITICAL,
    raised_ns=NOW,
    reached={Severity.CRITICAL: NOW},
    from_ns=5_000_000_000,
)
WALK: dict[str, JsonValue] = {
    "task": "suspicious_object",
    "source": "live",
    "after": {"walk": {"from_s": 6.5, "to_s": 9.0}},
}
ACKNOWLEDGE = Action(AlertState.ACKNOWLEDGED, Cause.ACKNOWLEDGED)
DISMISS = Action(AlertState.DISMISSED, Cause.DISMISSED, note={"false_alarm": True})


def write(store: Store, *changes: AlertChange) -> list[bool]:
    with store.write() as connection:
        return [write_change(connection, one, NOW + number) for number, one in enumerate(changes)]


def raise_it(store: Store, alert: Alert = ALERT) -> None:
    write(store, AlertChange(EventType.ALERT_RAISED, alert, None, Cause.CONDITION, WALK))


def cleared(alert: Alert) -> AlertChange:
    over = replace(alert, state=AlertState.CLEARED, to_ns=12_000_000_000)
    return AlertChange(EventType.ALERT_CLEARED, over, alert, Cause.CONDITION, {"task": "suspicious_object"})


def test_an_alert_that_stands_is_taken_over_and_one_that_is_over_is_not(store: Store) -> None:
    raise_it(store)
    (case,) = read_cases(store, {})
    assert case.alert == ALERT
    assert case.data["source"] == "live"
    assert not case.known
    write(store, cleared(ALERT))
    assert read_cases(store, {}) == []
    assert [one.reached for one in read_lately(store)] == [ALERT.reached]
    assert alert_span(store, "a1") is not None
    items, _ = alert_page(store, states=["cleared"], severities=None, rooms=["lab"], from_ns=None, limit=5)
    assert [one["alert_id"] for one in items] == ["a1"]


def test_a_wait_is_kept_until_it_is_over(store: Store) -> None:
    with store.write() as connection:
        write_waits(connection, {KEY: 7, Key("x", "lab", "l"): 8})
        write_waits(connection, {KEY: 9, Key("x", "lab", "l"): None})
    (case,) = read_cases(store, {("lab", "suspicious_object"): 20})
    assert (case.key, case.since_ns, case.at_ns, case.from_ns, case.alert) == (KEY, 9, 20, 9, None)


def test_what_people_do_is_an_event_and_a_mark(store: Store) -> None:
    raise_it(store)
    assert act(store, "a1", ACKNOWLEDGE, actor="me")["state"] == "acknowledged"
    snoozed = act(store, "a1", Action(AlertState.SNOOZED, Cause.SNOOZED, NOW + 5), actor="me")
    assert snoozed["acknowledged"]["by"] == "me"
    with store.read() as connection:
        assert read_marks(connection) == {"a1": (AlertState.SNOOZED, NOW + 5)}
    told = read_events(store, after=0, limit=9).events
    assert [(one.data["cause"], one.data["after"]["state"]) for one in told] == [
        ("acknowledged", "acknowledged"),
        ("snoozed", "snoozed"),
    ]
    with pytest.raises(LookupError):
        act(store, "a2", ACKNOWLEDGE, actor="me")


def test_what_is_dismissed_stays_so_whatever_the_worker_says_after(store: Store) -> None:
    raise_it(store)
    act(store, "a1", DISMISS, actor="me")
    again = replace(ALERT, state=AlertState.RAISED, severity=Severity.CRITICAL)
    late = AlertChange(EventType.ALERT_UPDATED, again, ALERT, Cause.RESUMED, WALK)
    assert write(store, late, cleared(ALERT)) == [False, False]
    found = get_alert(store, "a1")
    assert found is not None
    assert (found["state"], found["dismissed"]["false_alarm"]) == ("dismissed", True)
    assert read_cases(store, {}) == []
    with pytest.raises(AlertOverError):
        act(store, "a1", ACKNOWLEDGE, actor="me")
    noted = note_sample(store, "a1", {"sample": "smp-1", "reason": None})
    assert noted is not None
    assert noted["dismissed"]["sample"] == "smp-1"


def test_the_worker_does_not_undo_what_people_did(store: Store) -> None:
    raise_it(store)
    act(store, "a1", ACKNOWLEDGE, actor="me")
    told = AlertChange(EventType.ALERT_UPDATED, ALERT, ALERT, Cause.RESUMED, WALK)
    assert write(store, told) == [True]
    found = get_alert(store, "a1")
    assert found is not None
    assert found["state"] == "acknowledged"


def test_of_two_who_dismiss_at_once_one_does(store: Store) -> None:
    raise_it(store)
    done: list[bool] = []

    def dismiss() -> None:
        try:
            act(store, "a1", DISMISS, actor="me")
            done.append(True)
        except AlertOverError:
            done.append(False)

    threads = [threading.Thread(target=dismiss) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(done) == [False, False, False, True]
    assert len(read_events(store, after=0, limit=9).events) == 1


def test_a_screening_speaks_of_its_walk_and_has_one_outcome(store: Store) -> None:
    raise_it(store)
    raise_it(store, replace(ALERT, alert_id="a2", key=KEY._replace(room="den")))
    item = get_screening(store, "scr-a1")
    assert item is not None
    assert (item.from_ns, item.to_ns, item.state) == (6_500_000_000, 9_000_000_000, "open")
    write(store, cleared(ALERT))
    span = alert_span(store, "a1")
    assert span is not None
    assert (span.from_ns, span.to_ns) == (6_500_000_000, 9_000_000_000)
    assert close(store, "scr-a1", "metal", actor="me")
    assert not close(store, "scr-a1", "none", actor="me")
    note_outcome(store, "scr-a1", {"sample": "smp-1"})
    first, more = screening_page(store, state=None, room=None, limit=1, before=None)
    rest, end = screening_page(store, state=None, room=None, limit=1, before=more)
    assert ([one.room for one in (*first, *rest)], end) == (["den", "lab"], None)
    assert rest[0].doc == {"sample": "smp-1"}
    assert screening_page(store, state="open", room="lab", limit=9, before=None) == ([], None)


def test_rules_begin_as_built_in_and_keep_their_order(store: Store) -> None:
    assert list_rules(store) == list(BUILT_IN)
    night = {"rrule": "FREQ=DAILY;BYHOUR=18", "duration_s": 43200, "time_zone": "Europe/Vienna"}
    mine = rule_of({"id": "a", "kind": "occupied", "severity": "critical", "schedule": night})
    seen: list[str] = []
    written = put_rules(store, [mine, BUILT_IN[3]], check=seen.append, actor="me")
    assert list_rules(store) == [mine, BUILT_IN[3]]
    put_rules(store, [], check=seen.append, actor="me")
    assert seen[1] == etag_of(written) != seen[0]
    with store.write() as connection:
        add_missing(connection, [mine])
        add_missing(connection, [mine, BUILT_IN[0]])
    assert list_rules(store) == [mine, BUILT_IN[0]]
