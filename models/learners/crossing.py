"""Marks bins of time in which somebody crosses the link, or comes in: `TemporalUnet`, and motion beside it.

No task of the API; it says where in a window an entry or a crossing is. Only simulation has the truth for
each bin, so that is what it is trained on (`models.data.crossings`).
"""

import numpy as np
import torch

from models.data.samples import MASK, Array, Samples
from models.errors import SelectionError
from models.learners.base import Curve, Found, Inputs, Learner, Share, unseen
from models.learners.check import check_rows
from models.learners.crossing_fit import Recipe, bin_logits, train_bins
from models.learners.crossing_metrics import best_threshold
from models.learners.torch_fit import Rows
from models.networks.unet import TemporalUnet
from models.signal.inputs import AMPLITUDE, BANDS, TIME_BINS
from models.training.export_torch import network_to_onnx

TASKS = ("crossing", "entry")
RECIPE = Recipe()
_AROUND = 13
"""Bins, half a second, over which the motion of a bin is measured."""


class BinModel:
    """A fitted `TemporalUnet`.

    Attributes:
        threshold: of probability, from which on a bin is marked; chosen on rows learned from.
        curve: loss a bin by epoch.
    """

    features = AMPLITUDE

    def __init__(self, network: TemporalUnet, threshold: float, curve: Curve) -> None:
        self.network, self.threshold, self.curve = network, threshold, curve

    def logits(self, inputs: Inputs) -> Found:
        """Logits ``[row, bin]``."""
        features = torch.from_numpy(np.ascontiguousarray(inputs[AMPLITUDE], np.float32))
        mask = torch.from_numpy(inputs[AMPLITUDE + MASK]).float()
        found: Found = bin_logits(self.network, Rows(features, mask, torch.empty(0))).double().numpy()
        return found

    def predict(self, inputs: Inputs) -> Found:
        """Probability that somebody crosses, or comes in, in each bin ``[row, bin]``."""
        return np.asarray(1 / (1 + np.exp(-self.logits(inputs))), np.float64)

    def to_onnx(self, name: str) -> bytes:
        """The file: `embedding` (evidence) and `logits` are float32 ``[1, bin]``."""
        return network_to_onnx(self.network, name, (BANDS, TIME_BINS), streams=None)


class TemporalUnetLearner(Learner):
    """U-Net over time with pyramid laterals (METHODS, segments of entry and crossing)."""

    NAME = "temporal_unet"
    TITLE = "temporal U-Net with FPN laterals, marks bins of crossing and entry (simulation only)"
    TASKS = TASKS
    INPUTS = (AMPLITUDE,)

    def fit(self, samples: Samples, seed: int, *, progress: Share = unseen) -> BinModel:
        """Learn from rows with a label for each bin, float64 ``[row, 100]``.

        Raises:
            SelectionError: they have other labels, all alike, or no usable input.
        """
        check_bins(samples)
        torch.set_num_threads(1)
        return BinModel(*train_bins(samples, seed, RECIPE, progress))


class MotionBins:
    """The simple way: a bin is marked where the power's variance around it is over a threshold."""

    def __init__(self, samples: Samples) -> None:
        """Choose the threshold with the best F1 on these rows.

        Raises:
            SelectionError: as for `TemporalUnetLearner.fit`.
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


def check_bins(samples: Samples) -> None:
    """See that each bin has a label, and that some are marked and some are not.

    Raises:
        SelectionError: it is not so, or the input is not usable (`models.learners.check`).
    """
    if samples.classes or samples.label.shape != (len(samples), TIME_BINS):
        shape, wanted = samples.label.shape[1:], (TIME_BINS,)
        raise SelectionError(
            f"a bin's learner needs labels {wanted} of each row without classes, not {shape}"
        )
    if len(np.unique(samples.label)) < 2:
        said = "marked" if samples.label.any() else "unmarked"
        raise SelectionError(f"all bins of all {len(samples)} rows are {said}; there must be both")
    check_rows(samples, AMPLITUDE, (BANDS, TIME_BINS))
