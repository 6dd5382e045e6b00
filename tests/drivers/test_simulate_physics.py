"""The simulator against closed forms: interference, Doppler, breathing, things carried, falls, shadows."""

from dataclasses import replace

import numpy as np
import pytest

from drivers.simulate.antenna import Array, linear_array
from drivers.simulate.carried import Carried, Material, Shape
from drivers.simulate.cast import Role
from drivers.simulate.channel import Link
from drivers.simulate.grid import intel5300_grid
from drivers.simulate.radio import IDEAL
from drivers.simulate.random_scene import random_scene
from drivers.simulate.room import SPEED_OF_LIGHT, Room
from drivers.simulate.scene import Scene
from drivers.simulate.schedule import constant
from drivers.simulate.script import Script
from drivers.simulate.simulation import Simulation
from drivers.simulate.timing import Traffic

CENTRE_HZ = 5.18e9
WAVELENGTH_M = SPEED_OF_LIGHT / CENTRE_HZ
OPEN_SPACE = Room((30, 30, 8), (0.0,) * 6)


def open_link(*, antennas: int = 1, apart_m: float = 4.0, high_m: float = 1.2) -> Link:
    """Sender and receiver on a line along y in open space, around x = 5."""
    sender = Array(((5.0, 15 - apart_m / 2, high_m),))
    receiver = linear_array((5.0, 15 + apart_m / 2, high_m), antennas, WAVELENGTH_M / 2, 0.0)
    return Link(OPEN_SPACE, sender, receiver, intel5300_grid(centre_hz=CENTRE_HZ), order=1, echoes=0)


def scene_of(link: Link, script: Script, *stops: tuple[float, float], **more: object) -> Scene:
    """One person in open space before a perfect card with even packets, 200 a second."""
    traffic = Traffic(rate_hz=200.0, jitter=0.0)
    cast = (Role(script, stops=stops, **more),)  # type: ignore[arg-type]
    still = constant(0, script.leave_s)
    return Scene(link, still, traffic=traffic, radio=IDEAL, drift_rad=0.0, cast=cast, seed=5)


@pytest.mark.parametrize("distance", [2.0, 5.0, 11.0, 21.0])
def test_two_rays_interfere(distance: float) -> None:
    floor, high, low = -0.7, 2.3, 1.1
    room = Room((30, 30, 8), (0.0, 0.0, 0.0, 0.0, floor, 0.0))
    ends = Array(((4.0, 15.0, high),)), Array(((4.0 + distance, 15.0, low),))
    link = Link(room, *ends, intel5300_grid(centre_hz=CENTRE_HZ), order=3)
    direct, bounced = np.hypot(distance, high - low), np.hypot(distance, high + low)
    turns = link.grid.frequency_hz / SPEED_OF_LIGHT
    expected = np.exp(-2j * np.pi * turns * direct) / direct
    expected += floor * np.exp(-2j * np.pi * turns * bounced) / bounced
    np.testing.assert_allclose(link.static[:, 0, 0], WAVELENGTH_M / (4 * np.pi) * expected, rtol=2e-3)


def test_two_rays_cancel_and_add_where_the_paths_differ_by_half_waves() -> None:
    floor, high = -0.9, 1.5
    room = Room((30, 30, 8), (0.0, 0.0, 0.0, 0.0, floor, 0.0))
    found = []
    for half_waves in (21, 22):  # odd: the turned reflection adds; even: it cancels
        more = half_waves * WAVELENGTH_M / 2
        distance = ((2 * high) ** 2 - more**2) / (2 * more)
        ends = Array(((2.0, 15.0, high),)), Array(((2.0 + distance, 15.0, high),))
        link = Link(room, *ends, intel5300_grid(centre_hz=CENTRE_HZ), order=1)
        size = np.interp(0, link.grid.offset_hz, np.abs(link.static[:, 0, 0]))
        found.append(size * 4 * np.pi * distance / WAVELENGTH_M)
    assert found[0] == pytest.approx(1.9, abs=0.1)
    assert found[1] == pytest.approx(0.1, abs=0.1)


@pytest.mark.parametrize(("start", "end"), [(3.0, 8.0), (9.0, 4.0)])
def test_doppler_of_a_walker_before_a_real_card(start: float, end: float) -> None:
    """Bistatic: the length of the way over the body changes by v (cos a + cos b); antennas multiplied."""
    seconds, middle_s = 4.0, 2.0
    link = open_link(antennas=2)
    offset = 5.0
    script = Script.of([(seconds, "walking")])
    scene = scene_of(link, script, (start + offset, 15.0), (end + offset, 15.0))
    blocks = [block for chunk in Simulation(scene).chunks(seconds) for block in chunk.blocks]
    csi = np.concatenate([block.csi() for block in blocks])[:, 15, :, 0]
    product = csi[:, 0] * csi[:, 1].conj()  # the card's random phase goes
    span = slice(int((middle_s - 0.5) * 200), int((middle_s + 0.5) * 200))
    piece = (product[span] - product[span].mean()) * np.hanning(200)
    spectrum = np.abs(np.fft.fft(piece, 4096))
    frequency = np.fft.fftfreq(4096, 1 / 200)
    speed, away = abs(end - start) / seconds, (start + end) / 2
    expected = 2 * speed * np.cos(np.arctan2(2.0, away)) / WAVELENGTH_M
    walking = np.abs(frequency) > 5  # the slow change of strength is below
    assert abs(frequency[walking][spectrum[walking].argmax()]) == pytest.approx(expected, rel=0.08)


@pytest.mark.parametrize(("place", "breath_hz"), [((6.0, 15.0), 0.25), ((7.5, 14.0), 0.35)])
def test_breathing_changes_the_channel_as_geometry_predicts(
    place: tuple[float, float], breath_hz: float
) -> None:
    link = open_link()
    scene = scene_of(link, Script.of([(40.0, "sitting")]), place, breath_hz=breath_hz)
    simulation, times = Simulation(scene), np.arange(0, 40, 0.05)
    body = simulation._persons[0].at(times)
    chest = body.points[:, 0]
    moved = chest - chest.mean(axis=0)
    assert 0.004 <= np.linalg.norm(moved, axis=1).max() <= 0.0065
    legs = np.linalg.norm(chest - link.transmitter.centre, axis=1)
    over = legs + np.linalg.norm(chest - link.receiver.centre, axis=1)
    size = WAVELENGTH_M * body.strength[0] / ((4 * np.pi) ** 1.5 * legs * (over - legs))
    expected = size * np.exp(-2j * np.pi * over / WAVELENGTH_M)
    seen = simulation.channel(times)[0][:, :, 0, 0]
    seen = seen[:, np.abs(link.grid.offset_hz).argmin()]  # nearest to the carrier
    change, predicted = seen - seen.mean(), expected - expected.mean()
    assert np.abs(change).std() == pytest.approx(np.abs(predicted).std(), rel=0.05)
    assert np.abs(change).max() == pytest.approx(np.abs(predicted).max(), rel=0.05)
    spectrum = np.abs(np.fft.rfft(np.abs(seen) - np.abs(seen).mean()))
    peak = np.fft.rfftfreq(len(times), 0.05)[spectrum.argmax()]
    assert min(abs(peak - breath_hz), abs(peak - 2 * breath_hz)) < 0.03


def test_a_plate_and_a_cylinder_have_the_cross_sections_of_the_books() -> None:
    """4 pi A^2 / lambda^2 and 2 pi a h^2 / lambda, broadside, seen from where it is lit."""
    place, ends = np.array([[5.0, 5.0, 1.0]]), np.array([9.0, 5.0, 1.0])
    plate = Carried(Material.METAL, 0.3, 0.2)
    facing = plate.strength(place, np.zeros(1), ends, ends, WAVELENGTH_M)[0] ** 2
    assert facing == pytest.approx(4 * np.pi * 0.06**2 / WAVELENGTH_M**2 + 0.03)
    tin = Carried(Material.METAL, 0.1, 0.25, Shape.CYLINDER)
    round_about = tin.strength(place, np.ones(1), ends, ends, WAVELENGTH_M)[0] ** 2
    assert round_about == pytest.approx(2 * np.pi * 0.05 * 0.25**2 / WAVELENGTH_M + tin.mean_area_m2)
    aside = plate.strength(place, np.full(1, 0.5), ends, ends, WAVELENGTH_M)[0] ** 2
    assert aside < 0.05 * facing


@pytest.mark.parametrize("shape", list(Shape))
def test_metal_scatters_more_and_liquid_absorbs_more(shape: Shape) -> None:
    metal, liquid = (Carried(material, 0.2, 0.3, shape) for material in Material)
    headings = np.linspace(0, 2 * np.pi, 200)
    place = np.tile([5.0, 15.0, 1.0], (200, 1))
    ends = np.array([3.0, 12.0, 1.2]), np.array([4.0, 19.0, 1.0])
    strong, weak = (thing.strength(place, headings, *ends, WAVELENGTH_M) for thing in (metal, liquid))
    assert (strong > 1.2 * weak).all()
    assert metal.absorbs_m2 == 0 < liquid.absorbs_m2


def direct_path(carried: Carried | None) -> np.ndarray:
    """Size of the direct path while somebody walks through it, 1 where nobody is in the way."""
    link = open_link(apart_m=3.0)
    scene = scene_of(link, Script.of([(4.0, "walking")]), (3.0, 15.0), (7.0, 15.0), carried=carried)
    nobody = replace(scene, crowd=replace(scene.crowd, cross_section_m2=(1e-12, 1e-12)))
    simulation, times = Simulation(nobody), np.arange(0, 4, 0.01)
    person = simulation._persons[0]
    channel = simulation.channel(times)[0][:, 15, 0, 0]
    if carried is not None:
        body = person.at(times)
        assert body.heading is not None
        place = carried.at(body.torso, body.heading)
        ends = link.transmitter.centre, link.receiver.centre
        strength = carried.strength(place, body.heading, *ends, WAVELENGTH_M) * body.presence
        channel = channel - link.scattered(place[:, None], strength[:, None])[:, 15, 0, 0]
    return np.asarray(np.abs(channel / link.static[15, 0, 0]))


def test_things_deepen_the_shadow_of_their_carrier_and_liquid_most() -> None:
    size = (0.2, 0.3)
    alone = direct_path(None)
    metal, liquid = (direct_path(Carried(material, *size)) for material in Material)
    assert alone[:50] == pytest.approx(1, abs=0.01)
    assert liquid.min() < metal.min() < alone.min() < 0.6
    assert liquid.sum() < metal.sum() < alone.sum()


def test_a_lying_body_does_not_block_what_passes_above() -> None:
    link = open_link()
    script = Script.of([(5.0, "standing"), (2.0, "falling"), (5.0, "lying")])
    nobody = (1e-12, 1e-12)
    scene = scene_of(link, script, (5.0, 15.0))
    scene = replace(scene, crowd=replace(scene.crowd, cross_section_m2=nobody))
    channel = Simulation(scene).channel(np.array([1.0, 4.0, 10.0, 11.0]))[0][:, 15, 0, 0]
    size = np.abs(channel / link.static[15, 0, 0])
    assert (size[:2] < 0.5).all()
    assert (size[2:] > 0.97).all()


def profile(seed: int, day: int, unrest: float) -> np.ndarray:
    """Log amplitude of the empty room, level taken off."""
    scene = random_scene(seed, constant(0, 1.0), day=day, unrest=unrest, bandwidth_mhz=20)
    logs = np.log(np.abs(scene.link.static)).ravel()
    return np.asarray(logs - logs.mean())


def from_day_to_day(unrest: float) -> float:
    """Median over rooms of how much the profile changes."""
    days = [[profile(seed, day, unrest) for day in range(3)] for seed in range(10)]
    return float(np.median([np.abs(room[0] - room[day]).mean() for room in days for day in (1, 2)]))


def test_rooms_differ_more_than_days_and_days_differ_by_their_unrest() -> None:
    rooms = [profile(seed, 0, 1.0) for seed in range(10)]
    apart = np.median([np.abs(rooms[k] - rooms[k - 1]).mean() for k in range(10)])
    assert from_day_to_day(0.0) == 0
    assert 0.02 < from_day_to_day(0.2) < 0.5 * apart
    assert from_day_to_day(0.2) < from_day_to_day(1.0) < apart


def test_the_same_walk_moves_one_room_more_than_another() -> None:
    script, found = Script.of([(8.0, "walking")]), []
    for seed in range(8):
        scene = replace(random_scene(seed, constant(0, 8.0), size_m=(6, 5, 2.7)), fans=(), drift_rad=0.0)
        scene = replace(scene, cast=(Role(script, stops=((0.5, 2.5), (5.5, 2.5))),))
        channel, _ = Simulation(scene).channel(np.arange(0, 8, 0.02))
        found.append(float(np.median(np.log(np.abs(channel)).std(axis=0))))
    assert min(found) > 0.02
    assert max(found) > 1.3 * min(found)
