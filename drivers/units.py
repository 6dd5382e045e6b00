"""Absolute units of what a card reports: subcarriers in Hz, power in mW. See docs/units.md for each card.

No card measures the channel's power itself: all report CSI behind a gain control, and RSSI apart from it. So
power is the RSSI, shared out over the subcarriers as the CSI says.
"""

import numpy as np
import numpy.typing as npt

from drivers.frame import FrameBlock
from drivers.scale import total_rss_dbm

SPACING_HZ = 312_500.0
"""Distance of subcarriers, 802.11a to 802.11ac."""
ONE_GAIN = frozenset({"intel5300"})
"""NICs whose gain control is one for all antennas; elsewhere each antenna is brought to its own RSSI."""

Floats = npt.NDArray[np.float64]


def subcarrier_hz(index: npt.NDArray[np.int16], centre_mhz: npt.NDArray[np.uint16]) -> Floats:
    """Frequency of each subcarrier, float64 ``[frame, subcarrier]``; NaN where the channel is unknown.

    Args:
        index: offsets in subcarrier spacings, ``[subcarrier]`` or ``[frame, subcarrier]``.
        centre_mhz: centre of the channel, ``[frame]``, 0 where the NIC does not say.
    """
    centre = np.where(centre_mhz > 0, centre_mhz * 1e6, np.nan)
    return np.asarray(centre[:, None] + index * SPACING_HZ, np.float64)


def milliwatts(block: FrameBlock) -> Floats:
    """Factor that turns ``|csi|^2`` into mW at the antenna, float64 ``[frame, rx]``.

    With it, the power of all streams, mean over the usable subcarriers, is the RSSI of the antenna (of all
    antennas together where one gain serves all). NaN where the RSSI is unknown, 0 where nothing was measured.
    """
    power = _power(block)
    if block.nic in ONE_GAIN:
        power = np.repeat(power.sum(axis=1, keepdims=True), block.shape[1], axis=1)
        rssi = np.repeat(total_rss_dbm(block)[:, None], block.shape[1], axis=1)
    else:
        rssi = np.full(power.shape, np.nan)
        known = block.table["rssi_dbm"][:, : block.shape[1]]
        rssi[:, : known.shape[1]] = known
    received = 10 ** (rssi / 10)
    return np.asarray(np.divide(received, power, out=0 * received, where=power > 0), np.float64)


def _power(block: FrameBlock) -> Floats:
    """``|csi|^2`` of all streams, mean over the usable subcarriers, ``[frame, rx]``."""
    frames, _, rx, _, _ = block.raw.shape
    if not block.usable.any():
        return np.zeros((frames, rx))
    values = block.raw[:, block.usable].astype(np.float64)
    return np.asarray(np.einsum("fsrti,fsrti->fr", values, values) / values.shape[1], np.float64)
