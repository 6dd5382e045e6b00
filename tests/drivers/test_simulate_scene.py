"""Scenes: who is inside when, labels, randomness, and the corpus to train on."""

import json
import subprocess
import sys

import numpy as np
import pytest

from drivers.frame import FrameBlock
from drivers.registry import load
from drivers.simulate.capture import Labels, encode_in_order
from drivers.simulate.corpus import labelled_blocks
from drivers.simulate.random_scene import random_scene
from drivers.simulate.schedule import Schedule, people_at
from drivers.simulate.simulation import Simulation, simulate

SCHEDULE = Schedule(((3.0, 0), (4.0, 2), (2.0, 1), (3.0, 0)))


def test_schedule_as_people_write_it() -> None:
    assert Schedule.parse("0-2-0").spans == ((20.0, 0), (20.0, 2), (20.0, 0))
    assert Schedule.parse("20s:0,1.5m:2, 5:1").spans == ((20.0, 0), (90.0, 2), (5.0, 1))
    assert Schedule.parse("3").seconds == 20


@pytest.mark.parametrize(
    "text", ["", "x", "0-", "20s", "20s:", "20q:1", "-5s:1", "0s:1", "10s:1.5", "10s:99"]
)
def test_bad_schedules_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Schedule.parse(text)


def test_stays_add_up_to_the_schedule() -> None:
    stays = SCHEDULE.stays()
    for start, end, people in SCHEDULE.intervals():
        middle = (start + end) / 2
        assert (
            sum(enter <= middle < leave for enter, leave in stays)
            == people
            == people_at(SCHEDULE.intervals(), middle)
        )


def test_labels_match_the_frames() -> None:
    scene = random_scene(4, SCHEDULE)
    chunks = list(simulate(scene, chunk_s=0.7))
    times = np.concatenate([chunk.times for chunk in chunks])
    people = np.concatenate([chunk.people for chunk in chunks])
    planned = [people_at(SCHEDULE.intervals(), time) for time in times]
    assert (people == planned).mean() > 0.98  # a person counts from the first packet inside the door
    for chunk in chunks:
        inside = ~np.isnan(chunk.positions[..., 0])
        assert (inside.sum(axis=1) == chunk.people).all()
        assert scene.link.room.contains(chunk.positions[inside]).all()


def test_frames_cover_the_schedule_at_the_rate() -> None:
    scene = random_scene(4, SCHEDULE, rate_hz=50)
    chunks = list(simulate(scene))
    heard = sum(len(block) for chunk in chunks for block in chunk.blocks)
    assert sum(len(chunk.times) for chunk in chunks) == 600
    assert 0.85 * 600 < heard <= 600
    assert chunks[-1].times[-1] == pytest.approx(12, abs=0.1)


def test_labels_document_says_simulated_and_who_was_where() -> None:
    scene, labels = random_scene(4, SCHEDULE), Labels()
    for chunk in simulate(scene):
        labels.add(chunk)
    document = json.loads(json.dumps(labels.document(scene)))
    assert document["source"] == "simulated"
    assert document["frames"] + document["lost"] == 1200
    assert [span["people"] for span in document["people"]] == [0, 2, 1, 0]
    assert {len(at["people"]) for at in document["positions"] if 4 < at["time_s"] < 6} == {2}


def recorded(seed: int, *, drawn: int = 0) -> bytes:
    nic = load("intel5300")
    scene = random_scene(seed, Schedule(((2.0, 2),)), drawn=drawn)
    return b"".join(encode_in_order(nic, chunk.blocks) for chunk in simulate(scene) if chunk.blocks)


def test_same_seed_same_bytes() -> None:
    assert recorded(1) == recorded(1)
    assert recorded(1) != recorded(2)
    assert recorded(1) != recorded(1, drawn=1)


def test_invited_people_come_and_are_forgotten_when_they_left() -> None:
    running = Simulation(random_scene(1, Schedule(((1.0, 0),))))
    running.invite(0.5, 1.5)
    counts = [int(running.advance(50).people[-1]) for _ in range(5)]
    assert counts == [0, 1, 1, 0, 0]
    assert running.now_s == 2.5
    assert not running._persons


def test_random_rooms_differ_in_everything() -> None:
    scenes = [random_scene(seed) for seed in range(60)]
    assert {scene.link.grid.bandwidth_mhz for scene in scenes} == {20, 40}
    assert {scene.link.grid.centre_hz < 3e9 for scene in scenes} == {True, False}
    assert {scene.schedule.spans[0][1] for scene in scenes} == set(range(8))
    assert 0 < sum(bool(scene.fans) for scene in scenes) < 30
    for value in (
        [scene.link.room.size_m[0] for scene in scenes],
        [scene.radio.csi_snr_db for scene in scenes],
        [scene.traffic.jitter for scene in scenes],
        [scene.crowd.blocking for scene in scenes],
    ):
        assert len(set(value)) == len(value)
    for scene in scenes:
        arrays = np.concatenate([scene.link.transmitter.points, scene.link.receiver.points])
        assert (arrays > -0.2).all()


def corpus() -> list[tuple[str, int, list[FrameBlock]]]:
    return list(labelled_blocks(3, rooms=2, seconds_per_count=2.0, counts=(0, 2), rate_hz=50))


def test_corpus_has_every_room_and_count_on_unix_time() -> None:
    found = corpus()
    assert [(people, len({b.shape for b in blocks})) for _, people, blocks in found] == [(0, 1), (2, 1)] * 2
    assert len({room for room, _, _ in found}) == 2
    ends = 0
    for _, _, blocks in found:
        times = np.concatenate([block.table["capture_ns"] for block in blocks])
        assert (np.diff(times) > 0).all()
        assert times[0] > max(ends, 1_600_000_000 * 10**9)
        assert (times[-1] - times[0]) / 1e9 == pytest.approx(2, abs=0.3)
        ends = times[-1]


def test_corpus_is_repeatable_and_its_recordings_differ() -> None:
    first, again = corpus(), corpus()
    for (_, _, one), (_, _, other) in zip(first, again, strict=True):
        np.testing.assert_array_equal(one[0].raw, other[0].raw)
    profiles = [np.abs(blocks[0].csi()).mean(axis=0).ravel() for _, _, blocks in first[:2]]
    assert np.corrcoef(*profiles)[0, 1] < 0.999


def test_simulator_needs_numpy_alone() -> None:
    code = (
        "import sys, drivers.simulate.corpus\n"
        "loaded = {name.split('.')[0] for name in sys.modules}\n"
        "print(loaded & {'zmq', 'scipy', 'torch', 'pydantic', 'sqlalchemy'})"
    )
    shown = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert shown.stdout.strip() == "set()"
