"""Which antenna each receive chain of an Intel 5300 carries, as lookup tables over `antenna_sel`."""

import numpy as np
import numpy.typing as npt

from drivers.frame import FrameFlag

_ENTRY = np.dtype([("used", "u1"), ("rows", "u1", (3,)), ("flags", "<u4")])


def _entry(nrx: int, sel: int) -> tuple[int, list[int], int]:
    """Mask of antennas used, antenna of each chain, flags."""
    rows, flags = [sel >> 2 * chain & 3 for chain in range(3)], FrameFlag.NONE
    if len(set(rows[:nrx])) < nrx or max(rows[:nrx]) > 2:
        rows, flags = [0, 1, 2], FrameFlag.BAD_PERMUTATION
    return sum(1 << antenna for antenna in rows[:nrx]), rows, int(flags)


ORDER = np.zeros((4, 64), _ENTRY)
"""By [Nrx, antenna_sel & 63]."""
for _nrx in (1, 2, 3):
    ORDER[_nrx] = [_entry(_nrx, sel) for sel in range(64)]


def antenna_sel(rows: npt.NDArray[np.int64], bad: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint8]:
    """`antenna_sel` of chains in order of their antennas `rows`; one that names no order where `bad`."""
    rest = [antenna for antenna in range(3) if antenna not in rows]
    good = sum(int(antenna) << 2 * chain for chain, antenna in enumerate([*rows, *rest]))
    return np.where(bad, 63, good).astype(np.uint8)
