import numpy as np
import pytest

from drivers.frame import Tone
from models.signal.grid import SUBCARRIERS, grid, power_on_grid

DATA = np.zeros(SUBCARRIERS, np.uint8)


@pytest.mark.parametrize("bandwidth", [20, 40, 80, 160, 5])
def test_grid_rises_and_is_symmetric(bandwidth: int) -> None:
    points = grid(bandwidth)
    assert len(points) == SUBCARRIERS
    assert np.all(np.diff(points) > 0)
    assert abs(points).max() == pytest.approx(abs(points.min()), abs=1)


def raw_of(csi: np.ndarray) -> np.ndarray:
    return np.stack([csi.real, csi.imag], axis=-1).round().astype(np.int16)


def relative(csi: np.ndarray) -> np.ndarray:
    """Power ``[frame, subcarrier, rx, tx]`` -> ``[frame, rx, tx, subcarrier]``, mean 1 a frame."""
    power = np.abs(csi) ** 2
    return np.moveaxis(power / power.mean(axis=(1, 2, 3), keepdims=True), 1, 3)


def test_intel_frames_keep_their_subcarriers() -> None:
    rng = np.random.default_rng(0)
    csi = (rng.integers(-99, 99, (5, 30, 3, 2)) + 1j * rng.integers(-99, 99, (5, 30, 3, 2))).astype(complex)
    found = power_on_grid(raw_of(csi), grid(20).astype(np.int16), DATA, 20)
    assert found.dtype == np.float32
    assert np.allclose(found, relative(csi), rtol=1e-5)


def test_other_nic_is_interpolated_linearly_in_any_order_and_without_the_carrier() -> None:
    """The channel is interpolated, not its power: a line through zero leaves a fade where it crosses."""
    index = np.r_[np.arange(0, 32), np.arange(-32, 0)].astype(np.int16)  # FFT order, 64 subcarriers
    csi = (300 + 10j * index)[None, :, None, None] * np.ones((1, 1, 2, 1))
    csi[:, 0] = 30000  # garbage on the carrier
    found = power_on_grid(raw_of(csi), index, np.zeros(64, np.uint8), 20)
    expected = (300 + 10j * grid(20))[None, :, None, None] * np.ones((1, 1, 2, 1))
    assert np.allclose(found, relative(expected), rtol=1e-5)


def test_level_is_removed_per_frame_and_zero_stays_zero() -> None:
    rng = np.random.default_rng(1)
    csi = rng.integers(-99, 99, (4, 30, 3, 2)) + 1j
    csi[3] = 0
    gain = np.array([1, 3, 50, 7])[:, None, None, None]
    offsets = grid(20).astype(np.int16)
    found = power_on_grid(raw_of(csi * gain), offsets, DATA, 20)
    assert np.allclose(found, power_on_grid(raw_of(csi), offsets, DATA, 20), rtol=1e-5)
    assert np.allclose(found[:3].mean(axis=(1, 2, 3)), 1, atol=1e-5)
    assert not found[3].any()


def test_nulls_and_overwritten_bins_never_count_whatever_they_hold() -> None:
    index = np.r_[np.arange(0, 128), np.arange(-128, 0)].astype(np.int16)
    tones = np.where((abs(index) < 2) | (abs(index) > 122), Tone.NULL, Tone.DATA).astype(np.uint8)
    tones[2] = Tone.OVERWRITTEN
    csi = np.exp(1j * index / 40)[None, :, None, None] * 500 * np.ones((3, 1, 1, 1))
    clean = power_on_grid(raw_of(csi), index, tones, 80)
    csi[:, tones > Tone.PILOT] = 30000 - 8000j
    np.testing.assert_array_equal(power_on_grid(raw_of(csi), index, tones, 80), clean)
    assert np.allclose(clean, 1, atol=0.02)


def test_where_nothing_was_measured_there_is_no_power() -> None:
    nothing = np.full(30, Tone.NULL, np.uint8)
    assert not power_on_grid(
        raw_of(np.full((2, 30, 1, 1), 9.0)), grid(20).astype(np.int16), nothing, 20
    ).any()


def test_antennas_with_gains_of_their_own_are_levelled_one_by_one() -> None:
    rng = np.random.default_rng(4)
    still = rng.normal(size=(1, 30, 3, 2)) * 60 + 1j * rng.normal(size=(1, 30, 3, 2)) * 60
    gain = 10 ** (rng.normal(0, 3, (200, 1, 3, 1)) / 20)
    own = power_on_grid(raw_of(still * gain), grid(20).astype(np.int16), DATA, 20, own_gains=True)
    shared = power_on_grid(raw_of(still * gain), grid(20).astype(np.int16), DATA, 20)
    assert np.allclose(own.mean(axis=(2, 3)), 1, atol=1e-4)
    assert np.median(own.std(axis=0) / own.mean(axis=0)) < 0.05
    assert np.median(shared.std(axis=0) / shared.mean(axis=0)) > 0.3
