"""How strongly, and how fast, each part of the band fades, of every stream by itself.

What a head of one room may look at: antennas stand where they stand, so that in one room the pattern over
streams and subcarriers says more of a count than a mean over them. From room to room it does not hold: models
that are to work in any room look at `models.signal.variation`. It is free of level.
"""

import numpy as np
import numpy.typing as npt

from models.signal.fading import Fading
from models.signal.grid import SUBCARRIERS

VERSION = "bands-1"
"""Changes whenever a number in it changes meaning."""
BANDS = 5
"""Of six canonical subcarriers each."""
LAG = 2
"""Bins of 20 ms between two looks at a series: what a walker changes, and little of what noise does."""
SLOTS = 6
"""Streams that a vector has room for."""
_STILL = 0.01  # relative variance that quantisation and drift cause, as in `models.signal.variation`

Floats = npt.NDArray[np.float32]


def bands(fading: Fading) -> Floats:
    """Log variance of the relative power, and its structure function at 40 ms, ``[stream, 2 * BANDS]``."""
    both = np.stack([fading.squares.sum(axis=0) / fading.filled, _structure(fading)])
    by_band = both.reshape(2, -1, BANDS, SUBCARRIERS // BANDS).mean(axis=-1)
    return np.asarray(np.log(by_band + _STILL).transpose(1, 0, 2).reshape(by_band.shape[1], -1), np.float32)


def _structure(fading: Fading) -> Floats:
    """Mean square of how much a series changes within `LAG` bins ``[series]``; without pairs, as of noise."""
    pairs = fading.mask[LAG:] & fading.mask[:-LAG]
    if not pairs.any():
        return np.asarray(2 * fading.squares.sum(axis=0) / fading.filled, np.float32)
    apart = (fading.centred[LAG:] - fading.centred[:-LAG])[pairs]
    return np.asarray(np.einsum("ts,ts->s", apart, apart) / len(apart), np.float32)


def in_slots(values: npt.NDArray[np.floating], mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """Streams side by side, as many numbers for any number of streams.

    Args:
        values: ``[row, stream, feature]``.
        mask: which streams are measured ``[row, stream]``.

    Returns:
        ``[row, SLOTS * feature]``. Of more streams neighbours share a slot by their mean; a slot that no
        stream is for has the mean of all.
    """
    count = mask.sum(axis=1, keepdims=True)
    rank = np.cumsum(mask, axis=1) - 1
    place = np.where(count > SLOTS, rank * SLOTS // np.maximum(count, 1), rank)
    share = (place[:, None] == np.arange(SLOTS)[:, None]) & mask[:, None]
    empty = ~share.any(axis=2)
    share[empty] = np.broadcast_to(mask[:, None], share.shape)[empty]
    weight = share / np.maximum(share.sum(axis=2, keepdims=True), 1)
    filled: npt.NDArray[np.float64] = np.einsum("rns,rsf->rnf", weight, values.astype(np.float64))
    return filled.reshape(len(values), -1)
