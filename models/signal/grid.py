"""Canonical subcarrier grid per bandwidth, and the removal of everything that is only level.

Every NIC reports other subcarriers. A model sees `SUBCARRIERS` points at fixed offsets from the carrier, so
one backbone serves all. At 20 and 40 MHz the points are those the Intel 5300 reports (802.11n grouping of 2
and 4), hence its frames pass unchanged; at other bandwidths they are spread evenly over the used band.

Where one gain control serves all antennas, a packet has one level; where each receive chain has its own
(their levels then jump by some 3 dB from packet to packet, each for itself), it has one level an antenna.
"""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from drivers.frame import Raw, Tone

OWN_GAINS = frozenset({"atheros"})
"""NICs whose receive chains each control their gain (17 dB of RSSI, 3 dB of CSI)."""
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
def _weights(index: bytes, tones: bytes, bandwidth_mhz: int) -> npt.NDArray[np.float32] | None:
    """Matrix of linear interpolation ``[subcarrier, 30]``; None where the NIC reports the grid itself.

    All zero where no subcarrier was measured.
    """
    offsets = np.frombuffer(index, np.int16).astype(np.float64)
    measured = np.frombuffer(tones, np.uint8) <= Tone.PILOT
    points = grid(bandwidth_mhz)
    if measured.all() and np.array_equal(offsets, points):
        return None
    usable = np.flatnonzero(measured & (offsets != 0))  # the carrier itself holds no data on any NIC
    order = usable[np.argsort(offsets[usable])]
    matrix = np.zeros((len(offsets), SUBCARRIERS), np.float32)
    for row, unit in zip(order, np.eye(len(order)), strict=True):
        matrix[row] = np.interp(points, offsets[order], unit)
    return matrix


def power_on_grid(
    raw: Raw,
    subcarrier_index: npt.NDArray[np.int16],
    tones: npt.NDArray[np.uint8],
    bandwidth_mhz: int,
    *,
    own_gains: bool = False,
) -> npt.NDArray[np.float32]:
    """|H|^2 of each frame on the canonical grid, at mean 1 over subcarriers and antennas.

    Numbers ``[frame, subcarrier, rx, tx, 2]`` -> float32 ``[frame, rx, tx, 30]``. Points outside what the
    NIC measured take the nearest measured value; the carrier (offset 0), nulls and overwritten subcarriers
    are never used. The division takes out AGC steps, transmit power and every other gain a packet's streams
    share; what is left is the shape of the channel. Frames that are all zero stay zero.

    Args:
        raw: as `FrameBlock.raw`.
        subcarrier_index: as in the block, ``[subcarrier]``.
        tones: uint8 ``[subcarrier]`` of `Tone`.
        bandwidth_mhz: of the channel.
        own_gains: every antenna is brought to mean 1 by itself: its gain is its own.
    """
    values = np.ascontiguousarray(np.moveaxis(raw, 1, 3), np.float32)
    index = np.ascontiguousarray(subcarrier_index, np.int16).tobytes()
    matrix = _weights(index, np.ascontiguousarray(tones, np.uint8).tobytes(), bandwidth_mhz)
    if matrix is not None:  # real and imaginary parts are interpolated, not the power
        values = np.ascontiguousarray(np.moveaxis(np.moveaxis(values, -1, -2) @ matrix, -2, -1))
    if raw.dtype.kind == "f":  # of any size: its square must stay a number
        largest = np.abs(values).max(axis=(1, 2, 3, 4), keepdims=True)
        values = np.divide(values, largest, out=np.zeros_like(values), where=largest > 0)
    values *= values
    power = values[..., 0] + values[..., 1]
    mean = power.mean(axis=(2, 3) if own_gains else (1, 2, 3), keepdims=True)
    power *= np.divide(1, mean, out=np.zeros_like(mean), where=mean > 0)
    return power
