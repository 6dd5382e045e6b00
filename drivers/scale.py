"""Absolute scale of Intel 5300 CSI: received power in dBm and the factor into units of sqrt(SNR).

After get_total_rss.m and get_scaled_csi.m of linux-80211n-csitool-supplementary. Where that tool assumes
-92 dBm for an unknown noise floor, so does this.
"""

import numpy as np
import numpy.typing as npt

from drivers.frame import FrameBlock

DEFAULT_NOISE_DBM = -92.0
_STREAM_GAIN_DB = {1: 0.0, 2: 10 * np.log10(2), 3: 4.5}
"""Transmit power is split over the streams; the tool takes 4.5 dB, not 4.77, for three, on purpose."""

Floats = npt.NDArray[np.float64]


def total_rss_dbm(block: FrameBlock) -> Floats:
    """Received power of each frame, all antennas together; NaN where no antenna reports any.

    The AGC is part of `rssi_dbm` already.
    """
    rssi = block.table["rssi_dbm"].astype(np.float64)
    seen = ~np.isnan(rssi)
    power = np.where(seen, 10 ** (np.nan_to_num(rssi) / 10), 0).sum(axis=1)
    with np.errstate(divide="ignore"):
        return np.where(seen.any(axis=1), 10 * np.log10(power), np.nan)


def scale(block: FrameBlock) -> Floats:
    """Factor of each frame that turns `FrameBlock.csi` into units of sqrt(SNR).

    0 for a frame that measures nothing, NaN where the received power is unknown, and for every other card:
    they tell no noise floor, or one that belongs to another gain. Quantisation noise counts as noise, as in
    get_scaled_csi.m.
    """
    if block.nic != "intel5300":
        return np.full(len(block), np.nan)
    frames, subcarriers, _, tx, _ = block.raw.shape
    values = block.raw.reshape(frames, -1).astype(np.float64)
    power = (values**2).sum(axis=1) / subcarriers
    rss = 10 ** (total_rss_dbm(block) / 10)
    noise = block.table["noise_dbm"].astype(np.float64)
    floor = 10 ** (np.where(np.isnan(noise), DEFAULT_NOISE_DBM, noise) / 10)
    with np.errstate(divide="ignore", invalid="ignore"):
        per_unit = np.where(power > 0, rss / power, 0)
    quantisation = per_unit * block.present.sum()
    gain = 10 ** (_STREAM_GAIN_DB[tx] / 10)
    return np.asarray(np.sqrt(per_unit * gain / (floor + quantisation)), np.float64)
