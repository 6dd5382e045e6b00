"""Hertz and milliwatts: what the card says, shared out over its subcarriers."""

from dataclasses import replace

import numpy as np

from drivers.frame import Tone
from drivers.scale import scale, total_rss_dbm
from drivers.units import milliwatts, subcarrier_hz
from tests.drivers.intel import make_block


def test_subcarriers_in_hertz() -> None:
    found = subcarrier_hz(np.array([-28, -1, 28], np.int16), np.array([2437, 0, 5210], np.uint16))
    assert found[0].tolist() == [2428.25e6, 2436.6875e6, 2445.75e6]
    assert np.isnan(found[1]).all()
    assert found[2, 1] == 5210e6 - 312_500
    by_frame = subcarrier_hz(np.array([[1], [2]], np.int16), np.array([2412, 2412], np.uint16))
    assert by_frame.tolist() == [[2412.3125e6], [2412.625e6]]


def test_one_gain_for_all_antennas_gives_the_total_power() -> None:
    """As in the CSI tool: mW are |csi|^2 times rss over sum(|csi|^2) / 30."""
    block = make_block(20)
    power = (np.abs(block.csi()) ** 2 * milliwatts(block)[:, None, :, None]).sum((1, 2, 3)) / 30
    np.testing.assert_allclose(10 * np.log10(power), total_rss_dbm(block), rtol=1e-6, atol=1e-6)


def test_antennas_with_gains_of_their_own_give_their_own_power() -> None:
    block = replace(make_block(20), nic="atheros")
    power = (np.abs(block.csi()) ** 2 * milliwatts(block)[:, None, :, None]).sum(3).mean(1)
    np.testing.assert_allclose(10 * np.log10(power), block.table["rssi_dbm"][:, :3], rtol=1e-6, atol=1e-6)


def test_unknown_is_unknown_and_nothing_is_nothing() -> None:
    block = replace(make_block(3), nic="nexmon")
    block.table["rssi_dbm"][:, 1] = np.nan
    block.raw[2] = 0
    found = milliwatts(block)
    assert np.isnan(found[:2, 1]).all()
    assert found[2, 0] == 0
    assert np.isfinite(found[:2, 0]).all()
    assert np.isnan(scale(block)).all(), "no noise floor, no signal-to-noise ratio"


def test_what_is_no_channel_takes_no_part() -> None:
    block = replace(make_block(5), nic="nexmon")
    tones = block.tones.copy()
    tones[:4] = Tone.NULL
    masked = replace(block, tones=tones)
    masked.raw[:, :4] = 127
    power = (np.abs(masked.csi()[:, 4:]) ** 2 * milliwatts(masked)[:, None, :, None]).sum(3).mean(1)
    np.testing.assert_allclose(10 * np.log10(power), block.table["rssi_dbm"][:, :3], rtol=1e-6, atol=1e-6)
    assert not milliwatts(replace(block, tones=np.full(30, Tone.NULL, np.uint8))).any()
