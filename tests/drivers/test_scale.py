"""Absolute scale: known powers, unknown noise, and that it is a function of the frame alone."""

import numpy as np

from drivers.scale import DEFAULT_NOISE_DBM, scale, total_rss_dbm
from tests.drivers.intel import make_block


def test_powers_add() -> None:
    block = make_block(3)
    block.table["rssi_dbm"][:, :3] = -40
    np.testing.assert_allclose(total_rss_dbm(block), -40 + 10 * np.log10(3))
    block.table["rssi_dbm"] = np.nan
    assert np.isnan(total_rss_dbm(block)).all()


def test_signal_over_noise_is_what_it_says() -> None:
    """At high quantisation power the two noises add: SNR = power / (noise + quantisation)."""
    block = make_block(50, ntx=1)
    csi = np.abs(block.csi() * scale(block)[:, None, None, None]) ** 2
    power = 10 ** (total_rss_dbm(block) / 10)
    noise = np.nan_to_num(block.table["noise_dbm"], nan=DEFAULT_NOISE_DBM)
    raw = (np.abs(block.csi()) ** 2).sum((1, 2, 3)) / 30
    np.testing.assert_allclose(
        csi.sum((1, 2, 3)) / 30, power / (10 ** (noise / 10) + power / raw * 3), rtol=1e-5
    )


def test_it_is_pure_and_bears_empty_frames() -> None:
    block = make_block(4)
    assert np.array_equal(scale(block), scale(block))
    block.raw[2] = 0
    found = scale(block)
    assert found[2] == 0
    assert np.isfinite(found).all()
