"""What states mean on BACnet, over any sequence of them: unknown never makes a room vacant."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.wire import Source
from models.prediction import Prediction, Reason
from service.outlets.bacnet.points import NO_FAULT, OnUnknown, Point, alarm, occupancy, people
from service.rooms.config import RoomConfig
from service.rooms.machine import rule_of, step
from service.rooms.memory import document, fresh
from service.rooms.observation import Observation
from service.store.rooms import RoomRecord
from service.store.states import RoomStates, StoredState
from service.view.leaving import leaving
from service.view.overlay import Now, told_states

S = 10**9
TELL = {"presence": occupancy, "counting": people}
EMPTY: dict[str, Any] = {"presence": "vacant", "counting": 0}
FULL: dict[str, Any] = {"presence": "occupied", "counting": 3}


class Told:
    """One task of a room through the real machine, overlay and rule of what may leave, second by second."""

    def __init__(self, task: str) -> None:
        self.task, self.config = task, RoomConfig(tasks=[task])
        self.memory = fresh(task, S, Reason.NO_FRAMES)
        self.now, self.worker_up, self.paused = 100, True, False

    def predict(self, value: Any, *, reason: Reason | None = None, source: Source = Source.LIVE) -> None:
        interval = None if self.task == "presence" or reason else (0.0, 9.0)
        said = Prediction(self.task, value, None if reason else 0.9, reason=reason, interval=interval)
        time = self.now * S
        seen = Observation(time - 4 * S, time, time, time, source, said)
        self.memory = step(self.memory, seen, rule_of(self.task, self.config))

    def state(self) -> dict[str, Any]:
        doc = document(self.memory, 10).model_dump(mode="json")
        if self.paused:
            doc |= {"status": "paused", "value": None, "probability": None, "interval": None}
        record = RoomRecord("lab", 1, self.config, S, S)
        stored = {self.task: StoredState(doc, 1, self.memory.received_ns)}
        now = Now(self.now * S, self.worker_up, self.now * S, {})
        return leaving(told_states(RoomStates(record, stored), now)[0], allow_non_live=False)


KNOWN = st.tuples(st.just("known"), st.booleans(), st.sampled_from([Source.LIVE, Source.LIVE, Source.REPLAY]))
UNKNOWN = st.tuples(st.just("unknown"), st.sampled_from([Reason.LOW_OCCUPANCY, Reason.MODEL_ERROR]))
OTHER = st.sampled_from([("silence",), ("worker",), ("pause",), ("outlet restarts",)])


@given(
    steps=st.lists(st.one_of(KNOWN, KNOWN, UNKNOWN, OTHER), max_size=30),
    on_unknown=st.sampled_from(["hold", "occupied"]),
    task=st.sampled_from(["presence", "counting"]),
)
@settings(max_examples=150, deadline=None)
def test_unknown_never_makes_a_room_vacant(
    steps: Sequence[tuple[Any, ...]], on_unknown: OnUnknown, task: str
) -> None:
    told, shown = Told(task), None
    for what, *how in steps:
        told.now += 40 if what == "silence" else 31
        if what == "known":
            told.predict(EMPTY[task] if how[0] else FULL[task], source=how[1])
        elif what == "unknown":
            told.predict(None, reason=how[0])
        elif what == "worker":
            told.worker_up = not told.worker_up
        elif what == "pause":
            told.paused = not told.paused
        state = told.state()
        held = None if what == "outlet restarts" or shown is None else shown.value
        point = TELL[task](state, held, on_unknown)
        known = state["status"] == "ok"
        assert known == (point.reliability == NO_FAULT and not point.out_of_service)
        if point.value == 0:
            was_held = on_unknown == "hold" and (held == 0 or _last(state) == EMPTY[task])
            assert was_held or (known and state["value"] == EMPTY[task])
        if not known and held:
            assert point.value == held, "what is not known changes nothing"
        shown = point


def _last(state: dict[str, Any]) -> Any:
    return (state["last_known"] or {}).get("value")


def unknown(reason: str | None, **more: Any) -> dict[str, Any]:
    return {
        "status": "unknown",
        "reason": reason,
        "value": None,
        "last_known": None,
        "source": "live",
        **more,
    }


@pytest.mark.parametrize(
    ("reason", "reliability"),
    [
        ("no_frames", "no-sensor"),
        ("stale", "communication-failure"),
        ("worker_down", "communication-failure"),
        ("model_error", "process-error"),
        ("uncalibrated", "unreliable-other"),
        ("not_live", "unreliable-other"),
        ("a reason of tomorrow", "unreliable-other"),
        (None, "unreliable-other"),
    ],
)
def test_every_reason_is_a_fault(reason: str | None, reliability: str) -> None:
    assert occupancy(unknown(reason), None, "hold") == Point(1.0, reliability)
    assert people(unknown(reason), None, "hold") == Point(1.0, reliability)
    assert alarm([unknown(reason)], []) == Point(1.0, reliability)


def test_over_a_restart_the_last_known_value_is_held() -> None:
    vacant = unknown("stale", last_known={"value": "vacant"})
    assert occupancy(vacant, None, "hold").value == 0
    assert occupancy(vacant, None, "occupied").value == 1
    assert people(unknown("stale", last_known={"value": 4}), None, "hold").value == 4
    assert people(unknown("stale", last_known={"value": 0}), None, "occupied").value == 1


@pytest.mark.parametrize("value", ["?", -1, True, 2.5, [], {}, None])
def test_a_value_that_is_none_of_ours_is_a_fault(value: Any) -> None:
    state = {"status": "ok", "reason": None, "value": value, "last_known": None, "source": "live"}
    assert occupancy(state, 0.0, "occupied") == Point(1.0, "unreliable-other")


def test_an_alarm_is_as_grave_as_the_gravest_alert() -> None:
    live = {"status": "ok", "value": "vacant", "source": "live"}
    assert alarm([live], []) == Point(1.0)
    assert alarm([live], ["info"]) == Point(2.0)
    assert alarm([live], ["critical", "warning"]) == Point(4.0)
    assert alarm([live, unknown("no_model")], ["info"]) == Point(2.0, "unreliable-other")
    assert alarm([], []).reliability != NO_FAULT, "nothing watches a room without tasks"
