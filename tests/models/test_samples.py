"""Labelled recordings as arrays say which cards they are of."""

from pathlib import Path

import pytest

from drivers.registry import load
from drivers.simulate.capture import encode_in_order
from drivers.simulate.cards import CARDS
from drivers.simulate.random_scene import random_scene
from drivers.simulate.schedule import constant
from drivers.simulate.simulation import simulate
from models.data import crowd, simulation
from models.signal.window import WindowSpec
from models.training.sources import from_folder


def record(folder: Path, people: int, nic: str) -> None:
    card = load(nic)
    scene = random_scene(9, constant(people, 7.0), nic=nic, rate_hz=50, bandwidth_mhz=20)
    records = [encode_in_order(card, chunk.blocks) for chunk in simulate(scene) if chunk.blocks]
    folder.mkdir(exist_ok=True)
    (folder / f"{people}p.dat").write_bytes(card.opening() + b"".join(records))


def test_the_card_is_found_in_the_recordings_whatever_the_folder_is_called(tmp_path: Path) -> None:
    for people, nic in enumerate(("intel5300", "atheros", "nexmon")):
        record(tmp_path / "room", people, nic)
    assert crowd.load(tmp_path, "counting", ["room"], classes=["0"]).nics == ("intel5300",)
    samples, origin = from_folder(tmp_path, "counting", "research", "mine", lambda _what, _share: None)
    assert samples.nics == origin.nics == ("atheros", "intel5300", "nexmon")


@pytest.mark.parametrize("nic", CARDS)
def test_simulated_rooms_name_the_card_that_was_simulated(nic: str) -> None:
    samples = simulation.load(1, 6.0, WindowSpec(), seed=1, people=[0, 2], nic=nic)
    assert samples.nics == (nic,)
    assert set(samples.label.tolist()) == {0, 2}
