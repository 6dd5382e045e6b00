"""An error is no empty room: a window counts for a baseline only if something said that nobody is there."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from drivers.frame import FrameBlock
from drivers.wire import Source
from models.prediction import ModelRef, Prediction, Reason
from models.signal.baseline import Baseline
from models.signal.view import View
from models.signal.window import Window
from models.tasks.base import Evidence
from models.tasks.presence import Presence
from service.adaptation.empty_room import EmptyRoom, RefusedError
from tests.service.empty_rooms import room
from tests.service.frames import T0, S
from tests.service.test_empty_room import SPEC, VACANT, windows

LEARNED = ModelRef("crowd", "3", "0", "crowd")
OUTDATED = {"l1": Baseline(log_moved=-9.0, spread=0.1, windows=60).to_json()}
Said = Callable[[Window], Sequence[Prediction]]


def occupied(probability: float, model: ModelRef | None = LEARNED) -> Prediction:
    return Prediction("presence", "occupied", probability, model=model)


def counted(people: int, probability: float, interval: tuple[float, float] | None = None) -> Prediction:
    return Prediction("counting", people, probability, interval, model=LEARNED)


def unknown(reason: Reason, task: str = "presence") -> Prediction:
    return Prediction.unknown(task, reason)


def looked(said: Said, *blocks: FrameBlock, baselines: Any = None) -> EmptyRoom:
    """Two minutes of an empty room of which this is said."""
    empty = EmptyRoom(T0 + 4 * S, 60.0, SPEC, baselines or {})
    for window in windows(*(blocks or (room(0, 70), room(70, 60)))):
        empty.take(window, Source.LIVE, said(window))
    return empty


def reason_of(said: Said) -> str:
    with pytest.raises(RefusedError) as refused:
        looked(said).judge()
    return refused.value.reason


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        ([unknown(Reason.MODEL_ERROR)], "model_error"),
        ([unknown(Reason.STALE)], "stale"),
        ([], "not_predicted"),
        ([Prediction("counting", 0, 0.99, (0, 0), model=LEARNED)], "not_predicted"),
        ([occupied(0.99)], "occupied_seen"),
        ([occupied(0.99, None), counted(3, 0.9)], "occupied_seen"),
        ([VACANT, counted(3, 0.9)], "people_counted"),
        ([VACANT, counted(3, 0.4, (1, 5))], "people_counted"),
        ([unknown(Reason.MODEL_ERROR), counted(3, 0.9)], "people_counted"),
        ([unknown(Reason.NO_MODEL), counted(3, 0.9)], "people_counted"),
    ],
)
def test_what_does_not_tell_of_an_empty_room_is_no_baseline(made: list[Prediction], reason: str) -> None:
    assert reason_of(lambda _: made) == reason


@pytest.mark.parametrize(
    "made",
    [
        [unknown(Reason.UNCALIBRATED)],
        [unknown(Reason.NO_MODEL)],
        [VACANT, unknown(Reason.MODEL_ERROR, "counting")],
        [VACANT, unknown(Reason.UNCALIBRATED, "counting")],
        [VACANT, counted(0, 0.9, (0, 1))],
        [VACANT, counted(1, 0.5, (0, 2))],
        [occupied(0.6)],
    ],
)
def test_motion_has_the_word_where_no_model_is_sure(made: list[Prediction]) -> None:
    assert set(looked(lambda _: made).judge()) == {"l1"}


def test_a_room_is_not_waited_for_whose_models_fail() -> None:
    with pytest.raises(RefusedError, match="model_error"):
        looked(lambda _: [unknown(Reason.MODEL_ERROR)], room(0, 50))  # and nobody asked to judge


def test_the_refusal_names_the_model_that_may_be_wrong() -> None:
    with pytest.raises(RefusedError, match="so says model crowd 3"):
        looked(lambda _: [VACANT, counted(2, 0.9)])


def test_windows_in_which_something_failed_are_left_out() -> None:
    def said(window: Window) -> Sequence[Prediction]:
        second = (window.end_ns - T0) // S
        return [unknown(Reason.MODEL_ERROR) if 20 < second <= 30 else VACANT]

    found, whole = looked(said).judge()["l1"], looked(lambda _: [VACANT]).judge()["l1"]
    assert found["windows"] == 47
    assert whole["windows"] == 57


def test_who_is_seen_for_a_moment_is_left_out_and_no_more() -> None:
    def said(window: Window) -> Sequence[Prediction]:
        return [occupied(0.99) if (window.end_ns - T0) // S in {30, 31, 32} else VACANT]

    assert looked(said).judge()["l1"]["windows"] == 54


def test_errors_that_spoil_the_held_out_minute_alone_are_named() -> None:
    def said(window: Window) -> Sequence[Prediction]:
        second = (window.end_ns - T0) // S
        return [unknown(Reason.MODEL_ERROR) if second > 64 and second % 2 else VACANT]

    assert set(looked(said).judge()) == {"l1"}  # half of a minute is enough to compare with

    def nearly_all(window: Window) -> Sequence[Prediction]:
        return [unknown(Reason.MODEL_ERROR) if 70 < (window.end_ns - T0) // S < 116 else VACANT]

    assert reason_of(nearly_all) == "model_error"


def test_somebody_who_moves_is_seen_though_presence_fails() -> None:
    def said(_: Window) -> Sequence[Prediction]:
        return [unknown(Reason.MODEL_ERROR)]

    with pytest.raises(RefusedError) as refused:
        looked(said, room(0, 10), room(10, 60, people=1))
    assert refused.value.reason == "motion_seen"


def test_packets_that_lie_too_far_apart_for_motion_tell_nothing() -> None:
    def thinned(start_s: float) -> FrameBlock:
        whole = room(start_s, 65)
        return whole.take(slice(None, None, 20))  # 1.25 a second: no lag has enough pairs

    with pytest.raises(RefusedError) as refused:
        looked(lambda _: [VACANT], thinned(0), thinned(65)).judge()
    assert refused.value.reason == "low_occupancy"


def by_motion(baselines: Any) -> Said:
    """Presence as the motion statistic gives it with these baselines."""
    return lambda window: [Presence().predict(Evidence(View(window), None, baselines))]


def restless() -> list[FrameBlock]:
    """A room in which more moves by itself than when it was calibrated."""
    return [room(0, 70, unrest=2.2), room(70, 60, unrest=2.2)]


def test_a_baseline_that_calls_the_empty_room_occupied_can_be_replaced() -> None:
    said = by_motion(OUTDATED)
    shown = [said(window)[0] for window in windows(*restless())][10]
    assert shown.value == "occupied"
    assert shown.probability is not None
    assert shown.probability > 0.9
    empty = looked(said, *restless(), baselines=OUTDATED)
    assert set(empty.judge()) == {"l1"}


def test_what_a_learned_model_adds_to_such_a_baseline_is_heard() -> None:
    unsure, sure = occupied(0.87), occupied(0.99)
    assert set(looked(lambda _: [unsure], *restless(), baselines=OUTDATED).judge()) == {"l1"}
    assert reason_of(lambda _: [unsure]) == "occupied_seen"
    with pytest.raises(RefusedError) as refused:
        looked(lambda _: [sure], *restless(), baselines=OUTDATED)
    assert refused.value.reason == "occupied_seen"


def mistaken(times: int) -> EmptyRoom:
    """A long look at an empty room, with a counter that errs so many times."""
    wrong, empty = 0, EmptyRoom(T0 + 4 * S, 300.0, SPEC, {})
    for number, window in enumerate(windows(room(0, 190), room(190, 190))):
        errs = number % 8 == 0 and wrong < times
        wrong += errs
        empty.take(window, Source.LIVE, [VACANT, counted(1, 0.9)] if errs else [VACANT])
    assert wrong == times
    return empty


def test_a_model_that_errs_now_and_then_bears_a_long_look() -> None:
    assert mistaken(15).judge()
    with pytest.raises(RefusedError, match="people are counted"):
        mistaken(30)
