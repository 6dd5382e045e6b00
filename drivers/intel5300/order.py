"""Which antenna each receive chain of an Intel 5300 carries, as lookup tables.

The key of a frame is ``Nrx << 6 | antenna_sel & 63``.
"""

import numpy as np
import numpy.typing as npt


def _rows(key: int) -> tuple[list[int], bool]:
    """Antenna of each chain, and whether `antenna_sel` names no order (then chain order stands in)."""
    nrx, rows = key >> 6, [key >> 2 * chain & 3 for chain in range(3)]
    bad = len(set(rows[:nrx])) < nrx or max(rows[:nrx], default=0) > 2
    return ([0, 1, 2] if bad else rows)[:nrx], bad


ROWS = [_rows(key)[0] for key in range(256)]
"""Antenna of each chain."""
IS_BAD = np.array([_rows(key)[1] for key in range(256)])
"""Whether the permutation is none."""
USED = np.array([sum(1 << antenna for antenna in rows) for rows in ROWS], np.uint8)
"""Mask of the antennas used."""


def antenna_sel(rows: npt.NDArray[np.int64], bad: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint8]:
    """`antenna_sel` of chains in order of their antennas `rows`; one that names no order where `bad`."""
    rest = [antenna for antenna in range(3) if antenna not in rows]
    good = sum(int(antenna) << 2 * chain for chain, antenna in enumerate([*rows, *rest]))
    return np.where(bad, 63, good).astype(np.uint8)
