"""What is sent, and when: news at once, the rest before it expires, and what is no more is cleared."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from service.outlets.mqtt.payloads import essence, expires_s, value_text
from service.outlets.mqtt.retained import Ledger, Retained
from service.outlets.mqtt.topics import Topics, slug
from service.rooms.config import RoomConfig
from tests.outlets.mqtt.views import lost_state, state

NAME = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,8}", fullmatch=True)
TOPICS = Topics("roomtone", "homeassistant", "5eed")


def test_only_news_is_sent_and_the_rest_before_it_expires() -> None:
    ledger, one = Ledger(), Retained("t", "a", "a", expires_s=30)
    assert ledger.due([one], 0) == [one]
    ledger.took([one], 0)
    assert ledger.due([one], 9.9) == []
    assert ledger.due([one], 10) == [one]
    news = Retained("t", "b", "b", expires_s=30)
    assert ledger.due([news], 1) == [news]


def test_what_does_not_expire_is_sent_once_until_somebody_missed_it() -> None:
    ledger, one = Ledger(), Retained("t", "a", "a")
    ledger.took([one], 0)
    assert ledger.due([one], 1e9) == []
    ledger.send_all()
    assert ledger.due([one], 1e9) == [one]


def test_what_the_broker_keeps_and_nobody_wants_is_gone() -> None:
    ledger, one = Ledger(), Retained("t", "a", "a")
    ledger.took([one, Retained("u", "a", "a")], 0)
    ledger.found("from-before")
    assert ledger.gone([one]) == ["from-before", "u"]
    ledger.cleared(["from-before", "u"])
    assert ledger.gone([one]) == []
    assert ledger.due([Retained("u", "a", "a")], 0)


def test_times_and_chances_alone_are_no_news() -> None:
    before = state("presence", motion=0.7, probability=0.91)
    assert essence(before) == essence(state("presence", motion=0.9, probability=0.95, observed_at="later"))
    for news in (
        state("presence", value="vacant"),
        state("presence", motion=0.4),
        state("presence", source="simulated"),
        lost_state("presence", "unknown", "stale"),
    ):
        assert essence(news) != essence(before)
    assert essence(lost_state("presence", "unknown", "stale")) != essence(
        lost_state("presence", "unknown", "no_model")
    )


def test_a_value_as_one_word() -> None:
    assert value_text(state("presence")) == "occupied"
    assert value_text(state("counting")) == "3"
    assert value_text(state("counting", value=0)) == "0"
    assert value_text(lost_state("counting", "unknown", "stale")) == "unknown"
    assert value_text(lost_state("counting", "paused", "paused")) == "paused"
    assert (
        value_text(state("localization", value={"x_m": 1.5, "cell": "desk"})) == '{"cell":"desk","x_m":1.5}'
    )


def test_what_is_said_of_a_room_expires_after_it_would_be_stale() -> None:
    assert expires_s(RoomConfig()) == 30
    assert expires_s(RoomConfig(stale_after_s=0.5)) == 30
    assert expires_s(RoomConfig(stale_after_s=100.1)) == 301


@given(NAME, NAME, NAME, NAME)
def test_two_entities_never_share_a_topic(room: str, entity: str, other_room: str, other: str) -> None:
    same = (room, entity) == (other_room, other)
    assert (TOPICS.config("sensor", room, entity) == TOPICS.config("sensor", other_room, other)) == same


def test_names_that_could_be_mixed_up() -> None:
    names = ["a.b", "a_b", "a_db", "a__b", "a-b", "a_-b", "a-.b"]
    assert all(slug(one) != slug(two) for one, two in itertools.combinations(names, 2))
    pairs = {TOPICS.config("sensor", room, entity) for room in names for entity in names}
    assert len(pairs) == len(names) ** 2
