"""Subcarriers of each packet format and bandwidth that an AX200 or AX210 reports, lowest first.

FeitCSI (Csi.h) has their numbers; which they are is IEEE 802.11-2020, 17.3.5, 19.3.11, 21.3.7 and 802.11ax,
27.3.2. The firmware reports zeros at pilots ("too low to be useful", FeitCSI), so these hold no channel. The
subcarriers of HE packets are 78.125 kHz apart, those of all others 312.5 kHz.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from drivers.frame import Tone

LEGACY, HT, VHT, HE = 1, 2, 3, 4
"""Packet format, bits 8-10 of the rate flags."""
WIDTHS_MHZ = (20, 40, 80, 160)
"""Channel width by bits 11-13 of the rate flags."""


@dataclass(frozen=True, eq=False)
class Grid:
    """Subcarriers of one packet format and bandwidth.

    Attributes:
        bandwidth_mhz: of the channel.
        index: int16, signed offset from the centre in subcarrier spacings.
        tones: uint8 of `Tone`.
    """

    bandwidth_mhz: int
    index: npt.NDArray[np.int16]
    tones: npt.NDArray[np.uint8]


def _grid(width: int, low: int, high: int, pilots: tuple[int, ...], segment: int = 0) -> Grid:
    """Subcarriers ``low..high`` on both sides; with `segment`, that around each of two centres so far out."""
    half = np.arange(low, high + 1)
    index = np.concatenate([-half[::-1], half])
    kinds = np.where(np.isin(np.abs(index), pilots), Tone.OVERWRITTEN, Tone.DATA).astype(np.uint8)
    if segment:
        index, kinds = np.concatenate([index - segment, index + segment]), np.tile(kinds, 2)
    return Grid(width, index.astype(np.int16), kinds)


_P80, _P996 = (11, 39, 75, 103), (24, 92, 158, 226, 266, 334, 400, 468)
GRIDS: dict[tuple[int, int], Grid] = {
    (LEGACY, 20): _grid(20, 1, 26, (7, 21)),
    (HT, 20): _grid(20, 1, 28, (7, 21)),
    (HT, 40): _grid(40, 2, 58, (11, 25, 53)),
    (VHT, 20): _grid(20, 1, 28, (7, 21)),
    (VHT, 40): _grid(40, 2, 58, (11, 25, 53)),
    (VHT, 80): _grid(80, 2, 122, _P80),
    (VHT, 160): _grid(160, 2, 122, _P80, segment=128),
    (HE, 20): _grid(20, 2, 122, (22, 48, 90, 116)),
    (HE, 40): _grid(40, 3, 244, (10, 36, 78, 104, 144, 170, 212, 238)),
    (HE, 80): _grid(80, 3, 500, _P996),
    (HE, 160): _grid(160, 3, 500, _P996, segment=512),
}
"""By format and bandwidth."""


def grid_of(rate: int) -> Grid | None:
    """The grid that these rate flags name, None if it is not known."""
    width = rate >> 11 & 7
    return GRIDS.get((rate >> 8 & 7, WIDTHS_MHZ[width])) if width < len(WIDTHS_MHZ) else None


def rate_bits(grid: Grid, rate: int) -> int:
    """Rate flags that name these subcarriers: `rate` where it does, else its other bits with the grid's."""
    named = grid_of(rate)
    if named and named.bandwidth_mhz == grid.bandwidth_mhz and np.array_equal(named.index, grid.index):
        return rate
    kind, width = next(key for key, known in GRIDS.items() if known is grid)
    return rate & ~0x3F00 | kind << 8 | WIDTHS_MHZ.index(width) << 11
