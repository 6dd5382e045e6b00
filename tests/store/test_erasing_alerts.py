"""What an erased range does to alerts on both databases: those that stand in it end, others stay."""

import pytest
import sqlalchemy as sa

from service.events import EventType, Severity
from service.rooms.alerting.alert import Alert, AlertChange, AlertState, Cause, Key
from service.rooms.config import RoomConfig
from service.store.alert_actions import Action, act
from service.store.alert_book import read_cases, write_change
from service.store.engine import Store
from service.store.erasing import Range, erase
from service.store.eventlog import read_events
from service.store.retention import DAY_NS, forget_old
from service.store.rooms import put_room
from service.store.schema import alerts, screenings
from service.store.settings import RetentionSettings

S = 10**9
RAISED = 1_700_000_000 * S
BEFORE, AROUND, AFTER = Range(0, RAISED), Range(RAISED - S, RAISED + S), Range(RAISED + S)
FUTURE = Range(4_000_000_000 * S)


@pytest.fixture
def standing(store: Store) -> Store:
    """A store with one open alert."""
    put_room(store, "lab", RoomConfig(), check=lambda _: None, actor="test", nics={})
    alert = Alert("a1", Key("in", "lab", "presence"), "occupied", Severity.INFO, RAISED)
    with store.write() as connection:
        raised = AlertChange(EventType.ALERT_RAISED, alert, None, Cause.CONDITION)
        write_change(connection, raised, RAISED)
    return store


def ids(store: Store) -> list[str]:
    with store.read() as connection:
        return list(connection.execute(sa.select(alerts.c.alert_id)).scalars())


def ends(store: Store) -> list[str]:
    told = read_events(store, after=0, limit=100).events
    return [str(one.data["cause"]) for one in told if one.type == EventType.ALERT_CLEARED]


@pytest.mark.parametrize("span", [BEFORE, FUTURE])
def test_an_alert_outside_the_range_stays_open(standing: Store, span: Range) -> None:
    erase(standing, "lab", span, actor="test")
    (case,) = read_cases(standing, {})
    assert case.alert is not None
    assert case.alert.state is AlertState.RAISED
    assert ends(standing) == []


@pytest.mark.parametrize("span", [AROUND, AFTER, Range()])
def test_an_alert_that_stands_in_the_range_ends_and_is_erased(standing: Store, span: Range) -> None:
    erase(standing, "lab", span, actor="test")
    assert (ids(standing), read_cases(standing, {}), ends(standing)) == ([], [], ["room_erased"])


def test_what_was_dismissed_is_erased_too_and_nobody_is_told_again(standing: Store) -> None:
    act(standing, "a1", Action(AlertState.DISMISSED, Cause.DISMISSED), actor="test")
    erase(standing, "lab", AFTER, actor="test")
    assert (ids(standing), ends(standing)) == ([], []), "that it was dismissed is erased as well"


def test_an_alert_that_was_over_before_stays(standing: Store) -> None:
    over = sa.update(alerts).values(state="cleared", holds=False, updated_ns=RAISED + S // 2)
    with standing.write() as connection:
        connection.execute(over)
    erase(standing, "lab", AFTER, actor="test")
    assert ids(standing) == ["a1"]


def test_a_cleared_alert_that_an_older_version_left_holding_is_over(standing: Store) -> None:
    with standing.write() as connection:
        connection.execute(sa.update(alerts).values(state="cleared", cleared_ns=RAISED))
    assert read_cases(standing, {}) == []
    list(forget_old(standing, RetentionSettings(), now_ns=RAISED + 40 * DAY_NS))
    assert ids(standing) == []


def test_a_dismissed_alert_that_lies_outside_the_range_stays_dismissed(standing: Store) -> None:
    long_ago = sa.update(alerts).values(state="dismissed", holds=True, updated_ns=RAISED)
    with standing.write() as connection:
        connection.execute(long_ago)
    erase(standing, "lab", AFTER, actor="test")
    (case,) = read_cases(standing, {})
    assert case.alert is not None
    assert case.alert.state is AlertState.DISMISSED, "what somebody dismissed is not raised again"


@pytest.mark.parametrize(("span", "left"), [(AFTER, []), (BEFORE, ["scr-a1"])])
def test_the_walk_of_an_alert_goes_with_it(standing: Store, span: Range, left: list[str]) -> None:
    walk = {"screening": "scr-a1", "alert_id": "a1", "room": "lab", "state": "open", "doc": {}}
    with standing.write() as connection:
        connection.execute(sa.insert(screenings).values(**walk, opened_ns=RAISED, from_ns=RAISED))
    erase(standing, "lab", span, actor="test")
    with standing.read() as connection:
        assert list(connection.execute(sa.select(screenings.c.screening)).scalars()) == left
