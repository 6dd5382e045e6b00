from dataclasses import replace

import numpy as np
import pytest

from drivers.wire import Source
from models.adapt.head import RoomHead
from models.prediction import Reason
from models.runtime import Backbone, RoomModel
from models.sensing import Sensing
from models.signal.baseline import Baseline
from models.signal.window import Window
from models.zoo import shelved

from . import make

TASKS = ("presence", "counting")


@pytest.fixture(scope="module")
def both() -> Sensing:
    return Sensing.load(["open", "research"])


@pytest.fixture(scope="module")
def walkers() -> Window:
    return make.windows(make.recording(7, 3))[4]


@pytest.fixture(scope="module")
def empty() -> Window:
    return make.windows(make.recording(7, 0))[4]


def test_motion_tells_presence_without_any_model(walkers: Window, empty: Window) -> None:
    bare = Sensing.load([])
    found = bare.predict(walkers, TASKS, source=Source.LIVE)
    assert [one.value for one in found] == ["occupied", None]
    assert found[0].model is not None
    assert found[0].model.name == "motion-statistic"
    assert found[0].extras["motion"] > 0.5  # type: ignore[operator]
    assert found[1].reason is Reason.NO_MODEL
    vacant = bare.predict(empty, ["presence"], source=Source.LIVE)[0]
    assert vacant.value == "vacant"
    assert vacant.extras["still"] is False
    assert 0.5 <= vacant.probability <= 1  # type: ignore[operator]


@pytest.mark.parametrize("source", [Source.LIVE, Source.REPLAY])
def test_simulation_does_not_speak_for_real_frames(walkers: Window, source: Source) -> None:
    found = Sensing.load(["open"]).predict(walkers, TASKS, source=source)
    assert found[0].value == "occupied"
    assert found[0].model is not None
    assert found[0].model.trained_on == "nothing"
    assert (found[1].value, found[1].reason) == (None, Reason.UNCALIBRATED)


def test_research_does_not_speak_for_simulated_frames(walkers: Window, both: Sensing) -> None:
    alone = Sensing.load(["research"]).predict(walkers, TASKS, source=Source.SIMULATED)
    assert alone[1].reason is Reason.NO_MODEL
    assert alone[0].model is not None
    assert alone[0].model.name == "motion-statistic"
    for one in both.predict(walkers, TASKS, source=Source.SIMULATED):
        assert one.model is not None
        assert one.model.trained_on == "simulation"


def test_research_speaks_for_the_nic_it_was_trained_on_alone(walkers: Window, both: Sensing) -> None:
    for one in both.predict(walkers, TASKS, source=Source.REPLAY):
        assert one.model is not None
        assert one.model.trained_on == "crowd_rooms_5300"
    other = replace(walkers, nics=("esp32",))
    found = both.predict(other, TASKS, source=Source.REPLAY)
    assert found[0].value == "occupied"
    assert found[1].reason is Reason.NO_MODEL
    assert Sensing.load(["research"]).predict(other, TASKS, source=Source.LIVE)[1].reason is Reason.NO_MODEL


@pytest.mark.parametrize("nics", [("atheros",), ("nexmon",), ("intel5300", "nexmon")])
def test_simulation_of_one_card_does_not_speak_for_another(
    walkers: Window, both: Sensing, nics: tuple[str, ...]
) -> None:
    other = replace(walkers, nics=nics)
    presence, counting = both.predict(other, TASKS, source=Source.SIMULATED)
    assert presence.model is not None
    assert (presence.value, presence.model.name) == ("occupied", "motion-statistic")
    assert (counting.value, counting.reason) == (None, Reason.NO_MODEL)


def test_a_number_always_comes_with_an_interval_that_holds_it(walkers: Window, both: Sensing) -> None:
    for source in Source:
        found = both.predict(walkers, ["counting"], source=source)[0]
        assert isinstance(found.value, int)
        assert found.interval is not None
        assert found.interval[0] <= found.value <= found.interval[1]


def test_no_frames_and_few_frames_are_unknown_never_vacant(both: Sensing) -> None:
    frames = make.recording(20, 0)
    second = (frames.table["capture_ns"] - make.EPOCH_NS) / 1e9
    found = make.windows(frames.take((second < 6) | (second > 15)))
    reasons = {
        (one.frames == 0, one.occupancy >= 0.7): both.predict(one, TASKS, source=Source.REPLAY)
        for one in found
    }
    assert [one.reason for one in reasons[True, False]] == [Reason.NO_FRAMES] * 2
    assert [one.reason for one in reasons[False, False]] == [Reason.LOW_OCCUPANCY] * 2
    assert [one.reason for one in reasons[False, True]] == [None] * 2


def test_frames_of_zeros_are_no_empty_room(both: Sensing) -> None:
    frames = make.recording(7, 0)
    silent = make.windows(replace(frames, raw=np.zeros_like(frames.raw)))
    assert silent == []
    half = frames.raw.copy()
    half[100:] = 0
    for window in make.windows(replace(frames, raw=half)):
        if window.occupancy < 0.7:
            found = both.predict(window, TASKS, source=Source.LIVE)
            assert {one.reason for one in found} == {Reason.LOW_OCCUPANCY}


def test_numbers_that_are_none_are_a_model_error_never_vacant(
    walkers: Window, both: Sensing, caplog: pytest.LogCaptureFixture
) -> None:
    part = walkers.parts[0]
    broken = replace(walkers, parts=(replace(part, power=part.power * np.float32(np.nan)),))
    with np.errstate(all="ignore"):
        found = both.predict(broken, TASKS, source=Source.LIVE)
    assert [one.reason for one in found] == [Reason.MODEL_ERROR] * 2
    assert "failed on a window of links ('l1',)" in caplog.text


def test_a_model_that_fails_is_a_model_error(
    walkers: Window, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    sensing = Sensing.load(["research"])

    def fail(*_: object) -> None:
        raise RuntimeError("out of order")

    monkeypatch.setattr(Backbone, "run", fail)
    found = sensing.predict(walkers, TASKS, source=Source.LIVE)
    assert [one.reason for one in found] == [Reason.MODEL_ERROR] * 2
    assert all(one.model is not None for one in found)
    assert "out of order" in caplog.text


def test_a_task_nobody_knows_is_no_model(walkers: Window, both: Sensing) -> None:
    found = both.predict(walkers, ["dancing", "presence"], source=Source.LIVE)
    assert [one.task for one in found] == ["dancing", "presence"]
    assert found[0].reason is Reason.NO_MODEL


def test_a_baseline_of_a_room_that_always_moves_silences_its_fan() -> None:
    fan = make.windows(make.recording(16, 1))
    bare = Sensing.load([])
    from models.tasks import View

    seen = [View(one).motions["l1"] for one in fan[3:]]
    baselines = {"l1": Baseline.of([*seen, *seen]).to_json()}
    before = bare.predict(fan[8], ["presence"], source=Source.LIVE)[0]
    after = bare.predict(fan[8], ["presence"], source=Source.LIVE, baselines=baselines)[0]
    assert before.value == "occupied"
    assert after.probability != before.probability
    crowd = make.windows(make.recording(8, 5))[5]
    assert bare.predict(crowd, ["presence"], source=Source.LIVE, baselines=baselines)[0].value == "occupied"


def own_head(both: Sensing, *, simulated: bool) -> RoomModel:
    """A head on the simulated counter that always says 3."""
    card = next(card for card in both.cards() if card.name == "counting-simulation")
    bias = np.full(8, -5.0)
    bias[3] = 5
    head = RoomHead.of("softmax", (np.zeros(76), np.ones(76)), (np.zeros((76, 8)), bias))
    return RoomModel(head, (card.name, card.digest), 7, "d" * 64, card.classes, simulated, provisional=True)


def test_a_head_of_the_rooms_own_speaks_where_the_shipped_model_may_not(
    walkers: Window, both: Sensing
) -> None:
    own = {"counting": own_head(both, simulated=False)}
    found = Sensing.load(["open"]).predict(walkers, ["counting"], source=Source.LIVE, own=own)[0]
    assert found.value == 3
    assert found.probability == pytest.approx(1, abs=1e-3)
    assert found.interval is not None
    assert found.model is not None
    assert (found.model.version, found.model.provisional) == ("1+room.7", True)
    assert found.model.trained_on == "simulation"


def test_a_head_learned_from_simulation_is_silent_on_real_frames(walkers: Window, both: Sensing) -> None:
    own = {"counting": own_head(both, simulated=True)}
    real = both.predict(walkers, ["counting"], source=Source.LIVE, own=own)[0]
    assert real.model is not None
    assert real.model.trained_on == "crowd_rooms_5300"
    assert both.predict(walkers, ["counting"], source=Source.SIMULATED, own=own)[0].value == 3


def test_a_head_of_one_room_changes_no_bit_of_another(walkers: Window, both: Sensing) -> None:
    before = both.predict(walkers, TASKS, source=Source.LIVE)
    both.predict(walkers, TASKS, source=Source.LIVE, own={"counting": own_head(both, simulated=False)})
    assert both.predict(walkers, TASKS, source=Source.LIVE) == before


def test_a_head_whose_backbone_is_gone_is_left_out(walkers: Window, both: Sensing) -> None:
    lost = replace(own_head(both, simulated=False), model=("gone", "0"))
    found = both.predict(walkers, ["counting"], source=Source.LIVE, own={"counting": lost})
    assert found == both.predict(walkers, ["counting"], source=Source.LIVE)


def test_one_session_a_model_and_cards_for_all(both: Sensing) -> None:
    names = {card.name for card in both.cards()}
    assert len(names) == len(shelved(["open", "research"])) == 7
