"""The simple way to a crossing or an entry: a bin is marked where there is motion enough around it."""

import numpy as np

from models.data.samples import MASK, Array, Samples
from models.learners.base import Found, Inputs
from models.learners.crossing.check import check_bins
from models.learners.crossing.marks import best_threshold
from models.signal.inputs import AMPLITUDE

_AROUND = 13
"""Bins, half a second, over which the motion of a bin is measured."""


class MotionBins:
    """A bin is marked where the power's variance around it is over a threshold.

    Attributes:
        threshold: of variance, from which on a bin is marked.
    """

    def __init__(self, samples: Samples) -> None:
        """Choose the threshold with the best F1 on these rows.

        Raises:
            SelectionError: they cannot be learned from (`check_bins`).
        """
        check_bins(samples)
        self.threshold = best_threshold(motion_bins(samples.inputs), np.asarray(samples.label > 0.5))

    def predict(self, inputs: Inputs) -> Found:
        """Variance ``[row, bin]``, to be held against `threshold`."""
        return motion_bins(inputs)


def motion_bins(inputs: Inputs) -> Found:
    """Variance of the power within half a second of each bin ``[row, bin]``; mean over measured series."""
    power = np.asarray(inputs[AMPLITUDE], np.float64)
    moved = _smooth(power**2) - _smooth(power) ** 2
    weight = inputs[AMPLITUDE + MASK].astype(np.float64)
    mean = np.einsum("rs,rst->rt", weight, moved.mean(axis=2))
    return np.asarray(mean / np.maximum(weight.sum(axis=1), 1)[:, None], np.float64)


def _smooth(values: Array) -> Array:
    """Mean over `_AROUND` bins about each, fewer at the ends."""
    half = _AROUND // 2
    total = np.cumsum(np.pad(values, [(0, 0)] * (values.ndim - 1) + [(1, 0)]), axis=-1)
    middle = np.arange(values.shape[-1])
    low, high = np.maximum(middle - half, 0), np.minimum(middle + half + 1, values.shape[-1])
    return np.asarray((total[..., high] - total[..., low]) / (high - low))
