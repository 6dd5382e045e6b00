"""What each bin of the FFT carries: guard band, pilots, and where firmware writes over the channel.

802.11-2016, 17.3.5, 19.3.11 and 21.3.7 (OFDM, HT and VHT tone plans).
"""

from functools import lru_cache

import numpy as np
import numpy.typing as npt

from drivers.frame import Tone

_EDGE = {20: (29, 28), 40: (59, 58), 80: (123, 122), 160: (251, 250)}  # first null below, last tone above
_CENTRE = {
    20: (0,),
    40: (-1, 0, 1),
    80: (-1, 0, 1),
    160: (*range(-129, -126), *range(-5, 6), *range(127, 130)),
}
_PILOTS = {
    20: (7, 21),
    40: (11, 25, 53),
    80: (11, 39, 75, 103),
    160: (25, 53, 89, 117, 139, 167, 203, 231),
}
_OVERWRITTEN = {20: (28, 29, 30), 40: (0, 1, 2), 80: (0, 1, 2), 160: (0, 1, 2)}


@lru_cache(maxsize=4)
def subcarrier_index(bandwidth_mhz: int) -> npt.NDArray[np.int16]:
    """Subcarriers in FFT order: 0 first, then up, then the negative ones."""
    half = 32 * bandwidth_mhz // 20
    index = np.concatenate([np.arange(half), np.arange(-half, 0)]).astype(np.int16)
    index.flags.writeable = False
    return index


@lru_cache(maxsize=8)
def tones(bandwidth_mhz: int, overwritten: bool) -> npt.NDArray[np.uint8]:
    """`Tone` of each subcarrier, in FFT order.

    Args:
        bandwidth_mhz: 20, 40, 80 or 160.
        overwritten: the firmware reports RSSI, and puts 12 bytes of PHY status over three bins
            (nexmon_csi b79d935); with 40 MHz and more one of them is data.
    """
    index = subcarrier_index(bandwidth_mhz).astype(np.int64)
    made = np.full(len(index), Tone.DATA, np.uint8)
    made[np.isin(np.abs(index), _PILOTS[bandwidth_mhz])] = Tone.PILOT
    below, above = _EDGE[bandwidth_mhz]
    made[(index <= -below) | (index > above) | np.isin(index, _CENTRE[bandwidth_mhz])] = Tone.NULL
    if overwritten:
        made[np.isin(index, _OVERWRITTEN[bandwidth_mhz])] = Tone.OVERWRITTEN
    made.flags.writeable = False
    return made
