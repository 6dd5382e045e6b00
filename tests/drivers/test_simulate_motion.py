"""What moving bodies do to the channel."""

from dataclasses import dataclass, replace

import numpy as np
import pytest

from drivers.simulate.antenna import Array
from drivers.simulate.channel import Link
from drivers.simulate.grid import intel5300_grid
from drivers.simulate.path import STANDING, STILL, STROLLING, WALKING, Behaviour, Way
from drivers.simulate.people import Fan, Person
from drivers.simulate.random_scene import random_scene
from drivers.simulate.room import SPEED_OF_LIGHT, Room
from drivers.simulate.schedule import Schedule, constant
from drivers.simulate.simulation import Simulation

CENTRE_HZ = 5.18e9
OPEN_SPACE = Room((30, 30, 3), (0.0,) * 6)


@dataclass
class Straight:
    """Walks along x at one speed."""

    speed: float
    behaviour: Behaviour = STILL
    enter_s: float = 0.0
    leave_s: float = float("inf")

    def at(self, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        place = np.stack([4 + self.speed * times, np.full_like(times, 15.0)], axis=1)
        return place, np.tile([self.speed, 0.0], (len(times), 1))


def radar() -> Link:
    """Sender and receiver side by side."""
    arrays = [Array(((1.0, 15.0 + aside, 1.2),)) for aside in (-0.1, 0.1)]
    return Link(OPEN_SPACE, arrays[0], arrays[1], intel5300_grid(centre_hz=CENTRE_HZ), echoes=0)


def way(seed: int, behaviour: Behaviour = WALKING, leave_s: float = float("inf")) -> Way:
    return Way((6, 5), behaviour, np.random.default_rng(seed), (3, 2), (0.5, 0.5), 0.0, leave_s)


@pytest.mark.parametrize("speed", [0.6, 1.2, -0.8])
def test_doppler_of_a_walker(speed: float) -> None:
    rate, times = 200.0, np.arange(400) / 200.0
    person = Person(Straight(speed), np.random.default_rng(0))
    body = person.at(times)
    seen = radar().scattered(body.points, np.tile(body.strength, (len(times), 1)))[:, 15, 0, 0]
    spectrum = np.abs(np.fft.fft(seen * np.hanning(len(seen))))
    peak = np.fft.fftfreq(len(seen), 1 / rate)[spectrum.argmax()]
    assert peak == pytest.approx(-2 * speed * CENTRE_HZ / SPEED_OF_LIGHT, abs=1.5)


def test_breathing_moves_the_chest_by_five_millimetres() -> None:
    times = np.arange(0, 20, 0.05)
    quiet = replace(STILL, sway_m=0.0)
    person = Person(Straight(0.0, quiet), np.random.default_rng(1), breath_hz=0.25, breath_m=0.005)
    chest = person.at(times).points[:, 0]
    moved = np.linalg.norm(chest - chest.mean(axis=0), axis=1)
    assert moved.max() == pytest.approx(0.005, rel=0.02)
    along = (chest - chest.mean(axis=0)) @ (chest[7] - chest[0])
    assert np.fft.rfftfreq(len(along), 0.05)[np.abs(np.fft.rfft(along)).argmax()] == pytest.approx(0.25)


def test_breathing_shows_in_the_phase_of_the_chest() -> None:
    times = np.arange(0, 20, 0.05)
    chest = np.tile([4.0, 15.0, 1.2], (len(times), 1, 1))
    chest[:, 0, 0] += 0.005 * np.sin(2 * np.pi * 0.25 * times)
    phase = np.unwrap(np.angle(radar().scattered(chest, np.ones((len(times), 1)))[:, 15, 0, 0]))
    swing = (phase.max() - phase.min()) / 2
    assert swing == pytest.approx(4 * np.pi * 0.005 * CENTRE_HZ / SPEED_OF_LIGHT, rel=0.03)


def test_a_still_person_shows_only_the_breath() -> None:
    scene = replace(random_scene(3, constant(1, 40.0)), fans=(), drift_rad=0.0)
    scene = replace(scene, crowd=replace(scene.crowd, behaviours=(replace(STILL, sway_m=0.0),)))
    times = np.arange(0, 40, 0.05)
    change = Simulation(scene).channel(times)[0].reshape(len(times), -1)
    moved = (change - change.mean(axis=0)).real * np.hanning(len(times))[:, None]
    spectrum = (np.abs(np.fft.rfft(moved, axis=0)) ** 2).sum(axis=1)
    frequency = np.fft.rfftfreq(len(times), 0.05)
    assert 0.19 < frequency[spectrum.argmax()] < 0.31
    assert spectrum[frequency > 2].sum() < 0.001 * spectrum.sum()


def test_empty_room_does_not_move() -> None:
    scene = replace(random_scene(3, constant(0, 10.0)), fans=(), drift_rad=0.0)
    channel, bodies = Simulation(scene).channel(np.arange(0, 10, 0.1))
    assert not bodies
    np.testing.assert_allclose(
        channel, np.broadcast_to(scene.link.static, channel.shape), rtol=1e-4, atol=1e-9
    )


def test_drift_is_slow_and_small() -> None:
    scene = replace(random_scene(3, constant(0, 10.0)), fans=(), drift_rad=0.05)
    channel, _ = Simulation(scene).channel(np.arange(0, 300, 0.5))
    size = np.abs(channel).mean()
    assert np.abs(np.diff(channel, axis=0)).max() < 0.01 * size
    assert 0.001 * size < np.abs(channel[-1] - channel[0]).mean() < 0.2 * size


def test_a_fan_is_periodic() -> None:
    fan = Fan((2, 2, 2), turn_hz=2.0)
    points = fan.at(np.array([0.0, 0.5, 0.25])).points
    np.testing.assert_allclose(points[0], points[1], atol=1e-12)
    assert np.abs(points[0] - points[2]).max() > 0.1


@pytest.mark.parametrize(
    "behaviour", [WALKING, STROLLING, STANDING], ids=["walking", "strolling", "standing"]
)
def test_ways_stay_inside_and_are_smooth(behaviour: Behaviour) -> None:
    times = np.arange(0, 120, 0.02)
    for seed in range(5):
        place, velocity = way(seed, behaviour).at(times)
        assert (place > 0).all()
        assert (place < (6, 5)).all()
        np.testing.assert_allclose(
            np.diff(place, axis=0) / 0.02, (velocity[1:] + velocity[:-1]) / 2, atol=0.15
        )
        assert np.hypot(*velocity.T).max() < 2.5


def test_walkers_walk_and_standers_stand() -> None:
    times = np.arange(0, 300, 0.1)
    pace = {
        name: np.median([np.hypot(*way(seed, one).at(times)[1].T).mean() for seed in range(8)])
        for name, one in {"walk": WALKING, "stroll": STROLLING, "stand": STANDING, "still": STILL}.items()
    }
    assert pace["still"] == 0
    assert pace["still"] < pace["stand"] < pace["stroll"] < pace["walk"]
    assert 0.2 < pace["walk"] < 1.0


def test_a_way_does_not_depend_on_how_it_is_asked_for() -> None:
    times = np.arange(0, 30, 0.01)
    whole, _ = way(4).at(times)
    other = way(4)
    pieces = np.concatenate([other.at(part)[0] for part in np.array_split(times, 37)])
    np.testing.assert_array_equal(whole, pieces)


def test_people_leave_by_the_door() -> None:
    for seed in range(6):
        place, _ = way(seed, leave_s=25.0).at(np.array([24.999]))
        assert np.hypot(*(place[0] - (0.5, 0.5))) < 0.3


def test_the_true_channel_does_not_depend_on_chunks() -> None:
    scene = random_scene(11, Schedule(((2.0, 1), (2.0, 3), (2.0, 0))))
    times = np.arange(0, 6, 0.02)
    whole, _ = Simulation(scene).channel(times)
    running = Simulation(scene)
    pieces = np.concatenate([running.channel(part)[0] for part in np.array_split(times, 11)])
    np.testing.assert_allclose(whole, pieces, atol=2e-5 * np.abs(whole).max())


def test_more_people_move_the_channel_more() -> None:
    def change(people: int) -> float:
        found = []
        for room in range(8):
            scene = replace(random_scene(room, constant(people, 8.0)), fans=())
            channel, _ = Simulation(scene).channel(np.arange(0, 8, 0.04))
            found.append(float(np.median(np.log(np.abs(channel)).std(axis=0))))
        return float(np.median(found))

    moved = [change(people) for people in (0, 1, 2, 4, 7)]
    assert moved == sorted(moved)
    assert moved[1] > 10 * moved[0]
