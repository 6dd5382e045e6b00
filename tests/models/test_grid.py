import numpy as np
import pytest

from models.signal.grid import SUBCARRIERS, grid, remove_level, to_grid


@pytest.mark.parametrize("bandwidth", [20, 40, 80, 160, 5])
def test_grid_rises_and_is_symmetric(bandwidth: int) -> None:
    points = grid(bandwidth)
    assert len(points) == SUBCARRIERS
    assert np.all(np.diff(points) > 0)
    assert abs(points).max() == pytest.approx(abs(points.min()), abs=1)


def test_intel_frames_pass_unchanged() -> None:
    csi = np.random.default_rng(0).standard_normal((5, 30, 3, 2)).astype(np.complex64)
    assert to_grid(csi, grid(20).astype(np.int16), 20) is csi


def test_other_nic_is_interpolated_linearly_in_any_order_and_without_the_carrier() -> None:
    index = np.r_[np.arange(0, 32), np.arange(-32, 0)].astype(np.int16)  # FFT order, 64 subcarriers
    csi = (2.0 + 0.5j * index)[None, :, None, None].astype(np.complex64)
    csi[:, 0] = 1e6  # garbage on the carrier
    found = to_grid(csi, index, 20)[0, :, 0, 0]
    assert np.allclose(found, 2.0 + 0.5j * grid(20), atol=1e-4)


def test_level_is_removed_per_frame_and_zero_stays_zero() -> None:
    rng = np.random.default_rng(1)
    csi = (rng.standard_normal((4, 30, 3, 2)) + 1j).astype(np.complex64)
    csi[3] = 0
    gain = np.array([0.1, 1, 50, 7], np.float32)[:, None, None, None]
    found = remove_level(csi * gain)
    assert np.allclose(found, remove_level(csi), atol=1e-5)
    assert np.allclose(np.mean(abs(found[:3]) ** 2, axis=(1, 2, 3)), 1, atol=1e-5)
    assert not found[3].any()
