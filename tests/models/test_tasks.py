"""The five tasks on windows: what a room's memory adds, and what several links say of each other."""

from dataclasses import replace

import numpy as np
import pytest

from drivers.frame import FrameBlock
from drivers.simulate.corpus_breathing import breathing_windows
from drivers.simulate.random_scene import random_scene
from drivers.simulate.recording import record, start_ns
from drivers.simulate.schedule import constant
from drivers.wire import Source
from models.data.windows import windows_of
from models.memory import RoomMemory, Verdict
from models.prediction import Reason
from models.sensing import Sensing
from models.signal.segments import Segment
from models.signal.window import RoomBuffer, Window, WindowSpec

from . import make

FIVE = ("presence", "counting", "localization", "suspicious_object", "activity")


@pytest.fixture(scope="module")
def sensing() -> Sensing:
    return Sensing.load(["open"])


@pytest.fixture(scope="module")
def simulated() -> list[Window]:
    """The room of the demo with two people."""
    scene = random_scene(9, constant(2, 14.0), unrest=0.2, bandwidth_mhz=20)
    return windows_of(record(scene, start_ns(0, 0)), WindowSpec())


def test_a_room_with_all_five_tasks_has_five_answers(sensing: Sensing, simulated: list[Window]) -> None:
    memory = RoomMemory()
    for window in simulated:
        found = {
            one.task: one
            for one in sensing.predict(window, FIVE, source=Source.SIMULATED, room="demo", memory=memory)
        }
        assert [one.reason for one in found.values()] == [None] * 5
        assert {one.model.trained_on for one in found.values() if one.model} == {"simulation"}
        assert set(found["localization"].value) == {"x_m", "y_m", "cell", "sigma_m"}  # type: ignore[arg-type]
        assert found["activity"].value in {
            "vacant",
            "still",
            "walking",
            "waving",
            "sit_down",
            "stand_up",
            "falling",
        }
        assert found["suspicious_object"].value in {"none", "metal", "liquid"}
        total = sum(found["activity"].extras["probabilities"].values())  # type: ignore[union-attr,arg-type]
        assert total == pytest.approx(1, abs=1e-2)


def test_places_of_one_room_are_known_in_that_room_alone(sensing: Sensing, simulated: list[Window]) -> None:
    there = sensing.predict(simulated[0], ["localization"], source=Source.SIMULATED, room="demo")[0]
    elsewhere = sensing.predict(simulated[0], ["localization"], source=Source.SIMULATED, room="lab")[0]
    live = sensing.predict(simulated[0], FIVE, source=Source.LIVE, room="demo")
    assert there.reason is None
    assert elsewhere.reason is Reason.NO_MODEL
    assert [one.reason for one in live[1:]] == [Reason.UNCALIBRATED] * 4
    assert live[0].value is not None  # the motion statistic needs no model


def test_a_walk_is_judged_when_it_is_over_and_for_a_while(sensing: Sensing, simulated: list[Window]) -> None:
    memory = RoomMemory()
    end_s = simulated[3].end_ns / 1e9
    memory.verdict = Verdict(Segment(end_s - 6, end_s - 1), np.array([0.1, 0.8, 0.1]))
    held = sensing.predict(simulated[3], ["suspicious_object"], source=Source.SIMULATED, memory=memory)[0]
    assert (held.value, held.probability) == ("metal", 0.8)
    assert held.extras["walk"] == {"from_s": round(end_s - 6, 2), "to_s": round(end_s - 1, 2)}
    memory.verdict = Verdict(Segment(end_s - 60, end_s - 50), np.array([0.1, 0.8, 0.1]))
    over = sensing.predict(simulated[3], ["suspicious_object"], source=Source.SIMULATED, memory=memory)[0]
    assert over.value == "none"


def test_somebody_who_only_breathes_is_there() -> None:
    bare, seen, empty_seen = Sensing.load([]), 0, 0
    for _, breaths, blocks in breathing_windows(11, 4, windows=1, seconds=40.0, empty=1):
        memory = RoomMemory()
        for window in windows_of(blocks, WindowSpec()):
            found = bare.predict(window, ["presence"], source=Source.SIMULATED, memory=memory)[0]
            if "breathing_per_minute" in found.extras:
                assert found.value == "occupied"
                rate = found.extras["breathing_per_minute"]
                seen += breaths is not None and abs(rate - breaths) < 4  # type: ignore[operator]
                empty_seen += breaths is None
    assert seen >= 10
    assert empty_seen == 0


def two_links(first: FrameBlock, second: FrameBlock) -> Window:
    buffer = RoomBuffer(WindowSpec())
    buffer.push("a", first)
    buffer.push("b", second)
    return buffer.closed(flush=True)[4]


def test_links_that_disagree_are_told(sensing: Sensing) -> None:
    lively, still = make.recording(8, 3, seed=1), make.recording(8, 0, seed=1)
    apart = sensing.predict(two_links(lively, still), FIVE[:2], source=Source.SIMULATED)
    assert apart[0].value == "occupied"
    assert (apart[0].extras["links"], apart[0].extras["agreement"]) == (2, 0.5)
    together = sensing.predict(two_links(lively, lively), FIVE[:2], source=Source.SIMULATED)
    assert [one.extras["agreement"] for one in together] == [1.0, 1.0]
    alone = sensing.predict(make.windows(lively)[4], FIVE[:2], source=Source.SIMULATED)
    assert all("agreement" not in one.extras for one in alone)


def test_a_link_that_is_missing_is_left_out(sensing: Sensing) -> None:
    lively = make.recording(8, 3, seed=1)
    both = two_links(lively, lively)
    one = replace(both, links=both.links[:1], nics=both.nics[:1], parts=both.parts[:1])
    found = [sensing.predict(window, ["counting"], source=Source.SIMULATED)[0] for window in (both, one)]
    assert found[0].value == found[1].value
