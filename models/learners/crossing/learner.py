"""Marks bins of time in which somebody crosses the link, or comes in: `TemporalUnet`.

No task of the API; it says where in a window an entry or a crossing is. Only simulation has the truth for
each bin, so that is what it is trained on (`models.data.crossings`).
"""

import numpy as np
import torch

from models.data.samples import MASK, Samples
from models.learners.base import Curve, Found, Inputs, Learner, Share, unseen
from models.learners.crossing.check import check_bins
from models.learners.crossing.fit import Recipe, bin_logits, train_bins
from models.learners.torch_fit import Rows
from models.networks.unet import TemporalUnet
from models.signal.inputs import AMPLITUDE, BANDS, TIME_BINS
from models.training.export_torch import network_to_onnx

TASKS = ("crossing", "entry")
RECIPE = Recipe()


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
