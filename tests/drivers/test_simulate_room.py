"""The static channel and scattering against closed formulas."""

from typing import Any

import numpy as np
import pytest

from drivers.simulate.antenna import Array, linear_array
from drivers.simulate.channel import Link
from drivers.simulate.grid import intel5300_grid
from drivers.simulate.random_scene import random_scene
from drivers.simulate.room import SPEED_OF_LIGHT, Images, Room, mirror_images

GRID = intel5300_grid(centre_hz=5.18e9)
WAVELENGTH = SPEED_OF_LIGHT / 5.18e9
BLACK = (0.0,) * 6


def link(
    room: Room, sender: tuple[float, float, float], receiver: tuple[float, float, float], **more: Any
) -> Link:
    return Link(room, Array((sender,)), Array((receiver,)), GRID, **more)


def wave(amplitude: float, length: float) -> np.ndarray:
    return np.asarray(amplitude * np.exp(-2j * np.pi * GRID.frequency_hz * length / SPEED_OF_LIGHT))


def test_two_ray_interference() -> None:
    room = Room((6, 5, 3), (0, 0, 0, 0, -0.7, 0))
    found = link(room, (1, 2, 1.0), (4, 2, 1.5), order=1).static[:, 0, 0]
    direct, bounced = np.hypot(3, 0.5), np.hypot(3, 2.5)
    scale = WAVELENGTH / (4 * np.pi)
    expected = wave(scale / direct, direct) - 0.7 * wave(scale / bounced, bounced)
    np.testing.assert_allclose(found, expected, atol=2e-4 * np.abs(expected).max())


def test_first_order_images_lie_behind_each_wall() -> None:
    images = mirror_images(Room((6, 5, 3)), 1)
    found = {tuple(place) for place in images.of(np.array([1.0, 2.0, 0.5]))}
    walls = {(-1, 2, 0.5), (11, 2, 0.5), (1, -2, 0.5), (1, 8, 0.5), (1, 2, -0.5), (1, 2, 5.5)}
    assert found == {(1, 2, 0.5), *walls}


@pytest.mark.parametrize(("order", "images"), [(0, 1), (1, 7), (2, 25), (3, 63)])
def test_number_of_images_and_their_gain(order: int, images: int) -> None:
    found = mirror_images(Room((6, 5, 3), (-0.5,) * 6), order)
    assert len(found.gain) == images
    np.testing.assert_allclose(found.gain, (-0.5) ** found.order)
    assert found.order[0] == 0


def test_image_paths_have_the_delay_of_the_bounce() -> None:
    room = Room((6, 5, 3), (-0.5,) * 6)
    paths = link(room, (1, 2, 1), (4, 3, 1), order=1).paths[:, :, 0, 0]
    slope = np.unwrap(np.angle(paths), axis=1)
    delay = -np.polyfit(GRID.offset_hz, slope.T, 1)[0] / (2 * np.pi)
    wall_x0 = np.hypot(5, 1) / SPEED_OF_LIGHT  # from (-1, 2) to (4, 3)
    assert delay[0] == pytest.approx(np.hypot(3, 1) / SPEED_OF_LIGHT, rel=1e-3)
    assert np.abs(delay - wall_x0).min() < 1e-11


def test_energy_of_one_path_is_friis() -> None:
    found = link(Room((6, 5, 3), BLACK), (1, 1, 1), (4, 5, 1)).static
    np.testing.assert_allclose(np.abs(found) ** 2, (WAVELENGTH / (4 * np.pi * 5)) ** 2, rtol=1e-5)


def test_energy_of_many_paths_is_their_sum_on_average() -> None:
    rng, room = np.random.default_rng(0), Room((6, 5, 3), (-0.6,) * 6)
    total, parts = 0.0, 0.0
    for place in rng.uniform((2, 2, 1), (5, 4, 2), (400, 3)):
        one = link(room, (1, 1, 1), tuple(place), order=2)
        total += float((np.abs(one.static) ** 2).mean())
        parts += float((np.abs(one.paths) ** 2).sum(axis=0).mean())
    assert total / parts == pytest.approx(1, abs=0.15)


def test_scattered_energy_is_the_bistatic_radar_equation() -> None:
    one = link(Room((6, 5, 3), BLACK), (1, 2, 1), (5, 2, 1), echoes=0)
    found = one.scattered(np.array([[[3.0, 4.0, 1.0]]]), np.sqrt([[0.8]]))
    length = np.hypot(2, 2)
    expected = WAVELENGTH**2 * 0.8 / ((4 * np.pi) ** 3 * length**4)
    np.testing.assert_allclose(np.abs(found[0]) ** 2, expected, rtol=1e-4)
    delay = -np.polyfit(GRID.offset_hz, np.unwrap(np.angle(found[0, :, 0, 0])), 1)[0] / (2 * np.pi)
    assert delay == pytest.approx(2 * length / SPEED_OF_LIGHT, rel=1e-3)


def test_scattering_sums_over_points_and_antennas() -> None:
    scene = random_scene(5)
    rng = np.random.default_rng(1)
    points = rng.uniform((0.5, 0.5, 0.5), (2.5, 2.5, 2), (4, 3, 3))
    strength = rng.uniform(0.2, 1, (4, 3))
    together = scene.link.scattered(points, strength)
    one_by_one = sum(scene.link.scattered(points[:, [k]], strength[:, [k]]) for k in range(3))
    assert together.shape == (4, 30, 3, 2)
    np.testing.assert_allclose(together, one_by_one, atol=1e-5 * np.abs(together).max())


def test_late_echoes_keep_the_energy_of_all_late_reflections() -> None:
    one = link(Room((6, 5, 3), (-0.8,) * 6), (1, 2, 1), (5, 2, 1), order=5, echoes=8)
    middle = np.array([3, 2.5, 1.5])

    def late(images: Images) -> float:
        length = np.linalg.norm(images.of(middle) - middle, axis=-1)[images.order > 1]
        return float(((images.gain[images.order > 1] / length) ** 2).sum())

    assert (one.scattering.order > 1).sum() == 8
    assert late(one.scattering) == pytest.approx(late(one.images), rel=1e-6)


def test_a_body_in_the_way_takes_the_direct_path_and_never_adds() -> None:
    one = link(Room((6, 5, 3)), (1, 2, 1), (5, 2, 1))
    bodies = np.array([[[3.0, 2.0, 1.0]], [[3.0, 4.5, 1.0]], [[0.5, 2.0, 1.0]]])
    passed = one.unblocked(bodies, np.ones((3, 1)), radius_m=0.3, depth=0.6)
    assert passed[0, 0] == pytest.approx(0.4)
    assert passed[1, 0] == pytest.approx(1, abs=1e-3)
    assert passed[2, 0] == 1  # behind the sender
    assert (passed <= 1).all()
    assert (passed >= 0.4).all()


def test_a_body_blocks_a_wall_reflection_on_either_leg() -> None:
    one = link(Room((6, 5, 3)), (1, 2, 1), (5, 2, 1))
    wall = one.first_order.of(np.array([1.0, 2.0, 1.0])).tolist().index([1.0, -2.0, 1.0])
    legs = np.array([[[2.0, 1.0, 1.0]], [[4.0, 1.0, 1.0]]])  # (1,2) -> (3,0) -> (5,2)
    passed = one.unblocked(legs, np.ones((2, 1)), radius_m=0.3, depth=0.6)
    np.testing.assert_allclose(passed[:, wall], 0.4)


@pytest.mark.parametrize(("bandwidth", "first", "last"), [(20, -28, 28), (40, -58, 58)])
def test_grid_is_the_cards(bandwidth: int, first: int, last: int) -> None:
    index = intel5300_grid(bandwidth_mhz=bandwidth).index
    assert (len(index), index[0], index[-1]) == (30, first, last)
    assert sorted(index) == list(index)


def test_impossible_rooms_and_grids_are_refused() -> None:
    with pytest.raises(ValueError, match="no inside"):
        Room((5, 0, 3))
    with pytest.raises(ValueError, match=r"outside -1\.\.1"):
        Room((5, 4, 3), (1.2, 0, 0, 0, 0, 0))
    with pytest.raises(ValueError, match="20 or 40"):
        intel5300_grid(bandwidth_mhz=80)


def test_linear_array_is_centred() -> None:
    array = linear_array((1, 2, 3), 3, 0.06, 0.5)
    np.testing.assert_allclose(array.centre, (1, 2, 3))
    np.testing.assert_allclose(np.linalg.norm(np.diff(array.points, axis=0), axis=1), 0.06)


def test_another_day_is_the_same_room_a_little_changed() -> None:
    first, second, other = random_scene(7).link, random_scene(7, day=1).link, random_scene(8).link
    assert first.room.size_m == second.room.size_m != other.room.size_m
    # Amplitude profiles of one room agree more than those of two rooms, but not wholly.
    profile = [np.abs(one.static[:, 0, 0]) for one in (first, second)]
    assert 0.3 < np.corrcoef(np.array(profile))[0, 1] < 0.9999
