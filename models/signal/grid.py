"""Canonical subcarrier grid per bandwidth, and the removal of everything that is only level.

Every NIC reports other subcarriers. A model sees `SUBCARRIERS` points at fixed offsets from the carrier, so
one backbone serves all. At 20 and 40 MHz the points are those the Intel 5300 reports (802.11n grouping of 2
and 4), hence its frames pass unchanged; at other bandwidths they are spread evenly over the used band.
"""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

SUBCARRIERS = 30
_EDGE = {20: 28, 40: 58, 80: 122, 160: 250}
_HT20 = (*range(-28, 0, 2), -1, *range(1, 28, 2), 28)
_HT40 = (*range(-58, 0, 4), *range(2, 59, 4))


def grid(bandwidth_mhz: int) -> npt.NDArray[np.float64]:
    """Offsets of the canonical points in subcarrier spacings, ``[30]``, rising."""
    if bandwidth_mhz == 20:
        return np.array(_HT20, np.float64)
    if bandwidth_mhz == 40:
        return np.array(_HT40, np.float64)
    edge = _EDGE.get(bandwidth_mhz, round(1.4 * bandwidth_mhz))
    return np.linspace(-edge, edge, SUBCARRIERS)


@lru_cache(maxsize=64)
def _weights(index: bytes, bandwidth_mhz: int) -> npt.NDArray[np.float32] | None:
    """Matrix of linear interpolation ``[subcarrier, 30]``; None where the NIC reports the grid itself."""
    offsets = np.frombuffer(index, np.int16).astype(np.float64)
    points = grid(bandwidth_mhz)
    if np.array_equal(offsets, points):
        return None
    usable = np.flatnonzero(offsets != 0)  # the carrier itself holds no data on any NIC
    order = usable[np.argsort(offsets[usable])]
    matrix = np.zeros((len(offsets), SUBCARRIERS), np.float32)
    for row, unit in zip(order, np.eye(len(order)), strict=True):
        matrix[row] = np.interp(points, offsets[order], unit)
    return matrix


def to_grid(
    csi: npt.NDArray[np.complex64], subcarrier_index: npt.NDArray[np.int16], bandwidth_mhz: int
) -> npt.NDArray[np.complex64]:
    """Frames on the canonical grid: complex64 ``[frame, subcarrier, rx, tx]`` -> ``[frame, 30, rx, tx]``.

    Points outside what the NIC reports take the nearest reported value; the carrier (offset 0) is never used.
    """
    matrix = _weights(np.ascontiguousarray(subcarrier_index, np.int16).tobytes(), bandwidth_mhz)
    if matrix is None:
        return csi
    moved = np.tensordot(csi, matrix, axes=(1, 0))
    return np.ascontiguousarray(np.moveaxis(moved, -1, 1), np.complex64)


def remove_level(csi: npt.NDArray[np.complex64]) -> npt.NDArray[np.complex64]:
    """Frames at unit RMS over subcarriers and antennas, ``[frame, 30, rx, tx]``.

    This takes out AGC steps, transmit power and every other gain a packet's streams share; what is left is
    the shape of the channel. Frames that are all zero stay zero.
    """
    flat = csi.reshape(len(csi), -1)
    power = np.mean(flat.real**2 + flat.imag**2, axis=1)
    scale = np.divide(1.0, np.sqrt(power), out=np.zeros_like(power), where=power > 0)
    levelled: npt.NDArray[np.complex64] = csi * scale.astype(np.float32)[:, None, None, None]
    return levelled
