"""The physics survives the card: the same simulated room, heard by each, reads the same to a model."""

from dataclasses import replace

import numpy as np
import pytest

from drivers.frame import FrameBlock
from drivers.simulate.cards import CARDS
from drivers.simulate.path import WALKING
from drivers.simulate.random_scene import random_scene
from drivers.simulate.schedule import Schedule
from drivers.simulate.simulation import simulate
from drivers.wire import Source
from models.data.windows import windows_of
from models.sensing import Sensing
from models.signal.grid import grid
from models.signal.window import Window, WindowSpec
from models.tasks import View

OVERWRITTEN = {("nexmon", 20): 28, ("nexmon", 40): 2}
"""Points on bins that this chip's PHY status overwrites: what stands there comes from the neighbours."""
COMMON = [(nic, bandwidth) for bandwidth in (20, 40) for nic in ("atheros", "nexmon")]


def heard(
    nic: str,
    spans: tuple[tuple[float, int], ...],
    *,
    bandwidth: int = 20,
    shape: tuple[int, int] | None = None,
) -> list[FrameBlock]:
    """Frames of one room with a 2.4 GHz link, and people who walk."""
    scene = random_scene(9, Schedule(spans), nic=nic, bandwidth_mhz=bandwidth, shape=shape)
    crowd = replace(scene.crowd, behaviours=(WALKING,))
    chunks = simulate(replace(scene, crowd=crowd, fans=(), drift_rad=0.0))
    return [block for chunk in chunks for block in chunk.blocks]


def windows(nic: str, spans: tuple[tuple[float, int], ...], **more: int) -> list[Window]:
    return windows_of(heard(nic, spans, **more), WindowSpec())  # type: ignore[arg-type]


@pytest.mark.parametrize("nic", CARDS)
def test_a_walker_moves_every_card_and_a_still_room_none(nic: str) -> None:
    found = windows(nic, ((7.0, 0), (7.0, 1)))
    still, walked = View(found[0]).motions["link"], View(found[-1]).motions["link"]
    assert walked.statistic > 0.3
    assert walked.moved > 20 * still.moved
    assert still.moved < 0.001
    said = [
        Sensing.load([]).predict(window, ["presence"], source=Source.SIMULATED)[0].value
        for window in (found[0], found[-1])
    ]
    assert said == ["vacant", "occupied"]


@pytest.mark.parametrize("bandwidth", [40, 80])
def test_wider_channels_see_the_walker_too(bandwidth: int) -> None:
    found = windows("nexmon", ((7.0, 0), (7.0, 1)), bandwidth=bandwidth)
    values = [Sensing.load([]).predict(w, ["presence"], source=Source.SIMULATED)[0].value for w in found]
    assert (values[0], values[-1]) == ("vacant", "occupied")


def profile(nic: str, bandwidth: int) -> np.ndarray:
    """Mean amplitude of the still room on the canonical grid ``[30]``, one antenna and one stream."""
    blocks = heard(nic, ((6.0, 0),), bandwidth=bandwidth, shape=(1, 1))
    (part,) = windows_of(blocks, WindowSpec())[0].parts
    amplitude = np.sqrt(part.power.mean(axis=0))[0, 0]
    return np.asarray(amplitude / np.sqrt((amplitude**2).mean()))


@pytest.mark.parametrize(("nic", "bandwidth"), COMMON)
def test_cards_agree_on_the_shape_of_the_still_channel(nic: str, bandwidth: int) -> None:
    """Within 3 % of the mean amplitude at every grid point that both cards measure."""
    off = np.abs(profile(nic, bandwidth) - profile("intel5300", bandwidth))
    known = grid(bandwidth) != OVERWRITTEN.get((nic, bandwidth))
    assert off[known].max() < 0.03
    assert known.sum() >= 29
