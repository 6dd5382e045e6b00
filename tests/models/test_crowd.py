"""The real crowd recordings: what the first issue promises of them."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from drivers.frame import FrameBlock
from drivers.wire import Source
from models.data import crowd as crowd_rooms
from models.data.capture import blocks_of
from models.data.windows import windows_of
from models.prediction import Prediction
from models.sensing import Sensing
from models.signal.window import WindowSpec
from models.training.evaluate import Question, evaluate

pytestmark = [pytest.mark.shared]


@cache
def decoded(path: Path) -> list[FrameBlock]:
    """Frames of a capture, read once for all tests here."""
    return list(blocks_of(path))


@pytest.fixture(autouse=True)
def read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crowd_rooms, "blocks_of", decoded)


def served(path: Path, shelves: list[str]) -> Iterator[list[Prediction]]:
    sensing = Sensing.load(shelves)
    for window in windows_of(decoded(path), WindowSpec()):
        yield sensing.predict(window, ["presence", "counting"], source=Source.REPLAY)


def test_four_people_are_seen_and_counted_within_the_interval(crowd: Path) -> None:
    found = list(served(crowd / "RoomB" / "4p.dat.xz", ["open", "research"]))
    assert len(found) > 100
    assert {presence.value for presence, _ in found} == {"occupied"}
    intervals = [counting.interval for _, counting in found]
    held = [low <= 4 <= high for low, high in filter(None, intervals)]
    assert sum(held) >= 0.97 * len(found)


@pytest.mark.parametrize("room", ["RoomA", "RoomB"])
@pytest.mark.parametrize("shelves", [["open"], ["open", "research"]])
def test_an_empty_room_is_vacant_in_every_window(crowd: Path, room: str, shelves: list[str]) -> None:
    found = list(served(crowd / room / "0p.dat.xz", shelves))
    assert {presence.value for presence, _ in found} == {"vacant"}
    if "research" in shelves:
        assert {counting.value for _, counting in found} == {0}


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize(("source", "target"), [("RoomA", "RoomB"), ("RoomB", "RoomA")])
def test_presence_carries_from_one_room_to_the_other(crowd: Path, source: str, target: str) -> None:
    report = evaluate(Question("presence", crowd, source, target, classes=("0", "1", "4", "7"), seeds=1))
    metrics = report.document["metrics"]
    assert isinstance(metrics, dict)
    assert metrics["balanced_accuracy"]["mean"] >= 0.97  # type: ignore[index,call-overload,operator]
