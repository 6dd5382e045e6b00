"""Which subcarrier each value of the legacy training field (LLTF) belongs to.

ESP-IDF, "Wi-Fi Channel State Information": the card's Fourier transform has 64 bins, in the order 0..31,
-32..-1, when it listens on 20 MHz; with a secondary channel it has 128, of which it reports the half of the
primary channel in rising order (0..63 below, -64..-1 above). The packet's legacy field sits in the middle of
that half, so it is counted from the primary channel's centre in both cases: the same grid, ordered otherwise.
"""

import numpy as np
import numpy.typing as npt

from drivers.frame import Tone

BINS = 64
PILOTS = (-21, -7, 7, 21)
EDGE = 26
"""Outermost subcarrier of an 802.11a/g training field."""
FIRST_WORD = 2
"""Values in the first four bytes, over which the ESP32 writes something else (`first_word_invalid`)."""


def subcarriers(*, rising: bool) -> npt.NDArray[np.int16]:
    """Subcarrier of each value, int16 ``[64]``, from the primary channel's centre.

    Args:
        rising: the card listens with a secondary channel and reports the bins in rising order.
    """
    order = np.arange(-BINS // 2, BINS // 2)
    return (order if rising else np.roll(order, BINS // 2)).astype(np.int16)


def tones(*, rising: bool, first_word_invalid: bool) -> npt.NDArray[np.uint8]:
    """`Tone` of each value, uint8 ``[64]``.

    Args:
        rising: as for `subcarriers`.
        first_word_invalid: the first two values are not of the channel.
    """
    index = subcarriers(rising=rising)
    kinds = np.full(BINS, Tone.DATA, np.uint8)
    kinds[np.isin(index, PILOTS)] = Tone.PILOT
    kinds[(index == 0) | (np.abs(index) > EDGE)] = Tone.NULL
    if first_word_invalid:
        kinds[:FIRST_WORD] = Tone.OVERWRITTEN
    return kinds


def centre_mhz(channel: npt.NDArray[np.int64]) -> npt.NDArray[np.uint16]:
    """Centre of these 20 MHz channels, 0 where there is no such channel (IEEE 802.11, annex E)."""
    low = np.where(channel == 14, 2484, 2407 + 5 * channel)
    known = np.where((channel >= 1) & (channel <= 14), low, 0)
    return np.where((channel >= 32) & (channel <= 177), 5000 + 5 * channel, known).astype(np.uint16)


def channel_of(mhz: npt.NDArray[np.uint16]) -> npt.NDArray[np.int64]:
    """Number of the 20 MHz channel centred there, 0 for none: the inverse of `centre_mhz`."""
    wide = mhz.astype(np.int64)
    low = np.where(wide == 2484, 14, (wide - 2407) // 5)
    return np.where(wide == 0, 0, np.where(wide > 5000, (wide - 5000) // 5, low))
