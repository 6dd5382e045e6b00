"""Simulated windows look like real ones in features that know nothing of the level."""

from pathlib import Path

import numpy as np
import pytest

from drivers.frame import FrameBlock
from drivers.registry import load
from drivers.simulate.random_scene import random_scene
from drivers.simulate.schedule import constant
from drivers.simulate.simulation import simulate
from drivers.source import read_chunks
from drivers.stream import Stream

pytestmark = pytest.mark.shared
RATE_HZ, WINDOW = 50.0, 200


def features(blocks: list[FrameBlock]) -> tuple[float, float, float]:
    """Deviation of log amplitude, and its auto-correlation 40 and 100 ms later; medians over 4 s windows."""
    whole = [block for block in blocks if block.shape == (30, 3, 2)]
    times = np.concatenate([block.table["capture_ns"] for block in whole]) / 1e9
    size = np.abs(np.concatenate([block.csi() for block in whole])) + 0.5
    logs = np.log(size / np.sqrt((size**2).mean(axis=(1, 2, 3), keepdims=True)))
    logs = logs.reshape(len(times), -1)[:, ::5]  # 5 and 6 streams share no factor: every stream is in it
    even = np.arange(times[0], times[-1], 1 / RATE_HZ)
    series = np.stack([np.interp(even, times, column) for column in logs.T], axis=1)
    found = []
    for start in range(0, len(series) - WINDOW + 1, WINDOW):
        window = series[start : start + WINDOW]
        window = window - window.mean(axis=0)
        power = (window**2).mean(axis=0)
        rho = [((window[lag:] * window[:-lag]).mean(axis=0) / power).mean() for lag in (2, 5)]
        found.append((np.sqrt(np.median(power)), *rho))
    deviation, near, far = np.median(found, axis=0)
    return float(deviation), float(near), float(far)


def simulated(people: int) -> tuple[float, float, float]:
    """Median over rooms with a 2.4 GHz link at the rate of the real set."""
    found = []
    for seed in range(1, 40):
        scene = random_scene(seed, constant(people, 12.0), rate_hz=54, bandwidth_mhz=20)
        if scene.link.grid.centre_hz < 3e9:
            found.append(features([block for chunk in simulate(scene) for block in chunk.blocks]))
        if len(found) == 8:
            break
    deviation, near, far = np.median(found, axis=0)
    return float(deviation), float(near), float(far)


def real(crowd: Path, room: str, people: int) -> tuple[float, float, float]:
    stream = Stream(load("intel5300"))
    blocks = []
    for data in read_chunks(crowd / room / f"{people}p.dat.xz"):
        blocks += stream.feed(data)
    return features(blocks)


@pytest.mark.parametrize("people", [0, 1, 3, 6])
def test_simulated_motion_is_as_large_and_as_fast_as_in_real_rooms(crowd: Path, people: int) -> None:
    made = simulated(people)
    measured = np.mean([real(crowd, room, people) for room in ("RoomA", "RoomB")], axis=0)
    assert 0.5 < made[0] / measured[0] < 2
    assert abs(made[1] - measured[1]) < 0.25
    assert abs(made[2] - measured[2]) < 0.3
