"""State machines and alerts: what must hold for every sequence of predictions."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.wire import Source
from models.prediction import JsonValue, ModelRef, Prediction, Reason
from service.rooms.config import PresenceDelays, RoomConfig
from service.rooms.machine import changed, lose, rule_of, step
from service.rooms.memory import Memory, document, fresh
from service.rooms.observation import Observation
from service.state import Status

S = 1_000_000_000
START = 1_800_000_000 * S
MODEL = ModelRef("m", "1", "d", "simulation")


def presence(value: str | None, **extras: JsonValue) -> Prediction:
    if value is None:
        return Prediction.unknown("presence", Reason.LOW_OCCUPANCY, MODEL)
    return Prediction("presence", value, 0.9, model=MODEL, extras=extras)


def count(value: int | None) -> Prediction:
    if value is None:
        return Prediction.unknown("counting", Reason.NO_MODEL)
    return Prediction("counting", value, 0.5, (max(0, value - 1), value + 1), model=MODEL)


def seen(second: int, prediction: Prediction) -> Observation:
    to_ns = START + second * S
    # Host time runs ten times faster than capture time here, so that no test can mistake one for the other.
    host = START + 7 * S + second * S // 10
    return Observation(to_ns - 4 * S, to_ns, host, host, Source.REPLAY, prediction)


def run(
    predictions: list[Prediction], room: RoomConfig, memory: Memory | None = None, at: int = 0
) -> list[Memory]:
    task = predictions[0].task if predictions else "presence"
    memory = memory or fresh(task, START, "no_frames")
    shown = []
    for second, prediction in enumerate(predictions, at):
        memory = step(memory, seen(second, prediction), rule_of(task, room))
        shown.append(memory)
    return shown


def values(word: str, room: RoomConfig | None = None) -> str:
    """`o` occupied, `v` vacant, `.` unknown: predictions in, shown values out."""
    names = {"o": "occupied", "v": "vacant", ".": None}
    room = room or RoomConfig(presence=PresenceDelays(on_delay_s=2, off_delay_s=4))
    letters: dict[JsonValue, str] = {"occupied": "o", "vacant": "v", None: "."}
    return "".join(letters[m.value] for m in run([presence(names[letter]) for letter in word], room))


@pytest.mark.parametrize(
    ("word", "shown"),
    [
        ("o", "o"),  # leaving unknown needs no delay
        ("vvoov", "vvvvv"),  # on_delay 2 s: two windows one second apart are not enough
        ("vvooov", "vvvvoo"),
        ("ovvvvvv", "ooooovv"),  # off_delay 4 s of capture time, counted from the first vacant window
        ("ovvvvovvvvv", "oooooooooov"),  # an occupied window starts the wait over
        ("ovvvv.v", "ooooo.v"),  # unknown at once, and the value after it at once
        ("v.o", "v.o"),
        (".v", ".v"),
    ],
)
def test_presence_holds(word: str, shown: str) -> None:
    assert values(word) == shown


def test_without_delays_every_value_shows_at_once() -> None:
    room = RoomConfig(presence=PresenceDelays(on_delay_s=0, off_delay_s=0))
    assert values("ovovv.o", room) == "ovovv.o"


@given(st.text("ov.", max_size=40))
def test_vacant_is_never_shown_for_an_unknown_window(word: str) -> None:
    shown = values(word)
    assert all((letter == ".") == (out == ".") for letter, out in zip(word, shown, strict=True))


@given(st.text("ov.", max_size=40))
def test_vacant_is_never_concluded_without_a_vacant_window_since_the_last_unknown(word: str) -> None:
    for end, out in enumerate(values(word), 1):
        if out == "v":
            assert "v" in word[:end].rpartition(".")[2]


SEQUENCES = st.lists(st.sampled_from(["o", "v", "."]), min_size=1, max_size=30)
TASKS = st.sampled_from(["presence", "counting", "activity"])


def as_task(task: str, letter: str, second: int) -> Prediction:
    known: dict[str, dict[str, JsonValue]] = {
        "presence": {"o": "occupied", "v": "vacant"},
        "counting": {"o": second % 8, "v": 0},
    }
    value = known.get(task, {"o": "walk", "v": "sit"}).get(letter)
    if value is None:
        return Prediction.unknown(task, Reason.MODEL_ERROR)
    interval = (0.0, 9.0) if task == "counting" else None
    return Prediction(task, value, 0.7, interval, model=MODEL, extras={"motion": second / 100})


@settings(max_examples=150)
@given(SEQUENCES, TASKS, st.data())
def test_a_machine_restored_at_any_point_goes_on_as_if_nothing_had_happened(
    letters: list[str], task: str, data: st.DataObject
) -> None:
    room = RoomConfig(presence=PresenceDelays(on_delay_s=2, off_delay_s=5))
    said = [as_task(task, letter, second) for second, letter in enumerate(letters)]
    uninterrupted = run(said, room)
    cut = data.draw(st.integers(1, len(said)))
    stored = json.loads(json.dumps(uninterrupted[cut - 1].to_json()))
    resumed = run(said[cut:], room, Memory.from_json(stored), at=cut) if cut < len(said) else []
    assert [document(m, 10) for m in resumed] == [document(m, 10) for m in uninterrupted[cut:]]
    assert resumed == uninterrupted[cut:]


@given(st.lists(st.one_of(st.none(), st.integers(0, 9)), min_size=1, max_size=30))
def test_counting_shows_only_what_a_model_said_lately_with_its_own_interval(said: list[int | None]) -> None:
    for end, memory in enumerate(run([count(value) for value in said], RoomConfig()), 1):
        recent = said[max(0, end - 5) : end]
        if said[end - 1] is None:
            assert memory.value is None
        else:
            assert memory.value in [value for value in recent if value is not None]
            assert memory.shown is not None
            low, high = memory.shown.interval or (1, 0)
            assert low <= memory.value <= high


def test_counting_is_not_moved_by_one_odd_window() -> None:
    shown = [m.value for m in run([count(v) for v in (3, 3, 3, 7, 3, 3)], RoomConfig())]
    assert shown == [3, 3, 3, 3, 3, 3]


def test_a_window_seen_before_changes_nothing() -> None:
    (first, *_rest) = run([presence("vacant")], RoomConfig())
    assert step(first, seen(0, presence("occupied")), rule_of("presence", RoomConfig())) is first


def test_a_lost_state_says_why_and_what_was_known_last() -> None:
    memory = run([presence("occupied", motion=0.4, still=False)], RoomConfig())[-1]
    state = document(lose(memory, "stale", START + 99 * S), 10)
    assert (state.status, state.reason, state.value, state.probability) == (
        Status.UNKNOWN,
        "stale",
        None,
        None,
    )
    assert state.last_known is not None
    assert state.last_known.value == "occupied"
    assert state.since == "2027-01-15T08:01:39.000Z"
    again = lose(lose(memory, "stale", START + 99 * S), "stale", START + 200 * S)
    assert again.since_ns == START + 99 * S


def test_a_state_shows_all_the_contract_asks_for() -> None:
    memory = run([presence("vacant", motion=0.1, still=True)], RoomConfig())[-1]
    shown = document(memory, 10).model_dump(mode="json")
    assert shown == {
        "task": "presence",
        "status": "ok",
        "reason": None,
        "value": "vacant",
        "probability": 0.9,
        "interval": None,
        "since": "2027-01-15T08:00:07.000Z",
        "observed_at": "2027-01-15T08:00:07.000Z",
        "window": {"from": "2027-01-15T07:59:56.000Z", "to": "2027-01-15T08:00:00.000Z"},
        "stale_after": "2027-01-15T08:00:17.000Z",
        "last_known": None,
        "model": {
            "name": "m",
            "version": "1",
            "digest": "d",
            "trained_on": "simulation",
            "provisional": False,
        },
        "source": "replay",
        "motion": 0.1,
        "still": True,
    }


def test_facts_of_a_task_never_stand_in_place_of_the_contract() -> None:
    memory = run([presence("occupied", window="mine", status="mine", still=True)], RoomConfig())[-1]
    shown = document(memory, 10).model_dump(mode="json")
    assert shown["status"] == "ok"
    assert set(shown["window"]) == {"from", "to"}
    assert shown["still"] is True


def test_the_first_state_and_every_other_value_or_reason_is_a_change() -> None:
    memory = run([presence("vacant")], RoomConfig())[-1]
    assert changed(None, memory)
    assert not changed(memory, memory)
    assert changed(memory, lose(memory, "stale", START))
    assert changed(lose(memory, "stale", START), lose(memory, "worker_down", START))
