"""Byte layout of the UDP datagrams of nexmon_csi (csi_extractor.c of seemoo-lab and nexmonster).

A header, then one number per FFT bin, all little-endian. The header has 18 bytes, or 44 in the "plus"
firmware; which one follows from the length of the datagram alone.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

PORT = 5500
MAGIC = 0x1111
OLD_MAGIC = 0x11111111
"""Of firmware before RSSI and frame control took the place of its upper half, and of "plus"."""
STANDARD = np.dtype(
    [
        ("magic", "<u2"),
        ("rssi", "i1"),
        ("frame_control", "u1"),
        ("transmitter", "u1", (6,)),
        ("sequence_control", "<u2"),
        ("stream", "<u2"),
        ("chanspec", "<u2"),
        ("chip", "<u2"),
    ]
)
PLUS = np.dtype(
    [
        ("magic", "<u4"),
        ("receiver", "u1", (6,)),
        ("transmitter", "u1", (6,)),
        ("address_3", "u1", (6,)),
        ("frame_control", "<u2"),
        ("sequence_control", "<u2"),
        ("rssi", "<i2"),
        ("reserved", "<u2", (5,)),
        ("stream", "<u2"),
        ("chanspec", "<u2"),
        ("chip", "<u2"),
    ]
)
BIN_BYTES = 4
SIZES = (256, 512, 1024, 2048)
"""CSI bytes at 20, 40, 80 and 160 MHz."""


@dataclass(frozen=True, slots=True)
class Packing:
    """How a chip packs one complex value in 32 bits: (sign, magnitude) twice, then a shared exponent.

    `magnitude` and `exponent` are widths in bits; `magnitude` 0 means two int16 instead.
    """

    magnitude: int
    exponent: int


INT16, FLOAT_4358, FLOAT_4366 = Packing(0, 0), Packing(8, 5), Packing(11, 6)
PACKINGS = (INT16, FLOAT_4358, FLOAT_4366)
CHIPS = {
    0x0001: INT16,  # BCM4339
    0x0065: INT16,  # BCM43455c0, Raspberry Pi
    0x0003: FLOAT_4358,  # BCM4358
    0xDEAD: FLOAT_4358,
    0x006A: FLOAT_4366,  # BCM4366c0
}
_UNKNOWN = 255
_PACKING_OF = np.full(1 << 16, _UNKNOWN, np.uint8)
for _chip, _packing in CHIPS.items():
    _PACKING_OF[_chip] = PACKINGS.index(_packing)
_BYTES_OF_WIDTH = np.array([0, 0, 256, 512, 1024, 2048, 2048, 0], np.int64)
_BAND_5, _WIDE_PAIR = 3, 6
_WIDTH_CODE = {20: 2, 40: 3, 80: 4, 160: 5}

Words = npt.NDArray[np.uint16]
Ints = npt.NDArray[np.int64]


def packing_of(chip: Words) -> npt.NDArray[np.uint8]:
    """Index into `PACKINGS` of each chip id; above 2 where it is none we know."""
    return _PACKING_OF[chip]


def csi_bytes(chanspec: Words) -> Ints:
    """CSI bytes of the bandwidth in each channel specification, 0 where it names none."""
    return np.asarray(_BYTES_OF_WIDTH[chanspec >> 11 & 7], np.int64)


def centre_mhz(chanspec: Words) -> Words:
    """Centre of each channel; 0 where unknown (neither 2.4 nor 5 GHz, no channel there, or two apart).

    Bits 0-7 are the centre channel's number, 14-15 the band (bcmwifi_channels.h, D11AC).
    """
    channel = (chanspec & 0xFF).astype(np.int64)
    band, width = chanspec >> 14, chanspec >> 11 & 7
    low = np.where(channel == 14, 2484, 2407 + 5 * channel)
    is_low = (band == 0) & (channel >= 1) & (channel <= 14)
    is_5 = (band == _BAND_5) & (channel >= 32) & (channel <= 177)
    centre = np.where(is_low, low, np.where(is_5, 5000 + 5 * channel, 0))
    return np.where(width == _WIDE_PAIR, 0, centre).astype(np.uint16)


def chanspec_of(bandwidth_mhz: int, centre: Words) -> Words:
    """Channel specification with this bandwidth and centre (0: channel 0, which stands for unknown)."""
    mhz = centre.astype(np.int64)
    is_5 = mhz >= 5000
    channel = np.where(is_5, (mhz - 5000) // 5, np.where(mhz == 2484, 14, (mhz - 2407) // 5))
    channel = np.where(mhz == 0, 0, channel)
    made = channel | _WIDTH_CODE[bandwidth_mhz] << 11 | np.where(is_5, _BAND_5 << 14, 0)
    return np.asarray(made, np.uint16)
