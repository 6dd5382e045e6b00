"""How fast somebody breathes, from 30 s: `CnnRnn` (the network of #20 without its adversary).

There is no measured data with rates, so it learns from simulated breathing alone, and says so. It is no
task of the API and no part of serving: presence finds breathing by its spectrum (`models.signal.breathing`).
"""

import torch

from models.data.breaths import SERIES, STEPS
from models.data.samples import Samples
from models.learners.base import Learner, Share, unseen
from models.learners.check import check_rows
from models.learners.neural import NeuralModel
from models.learners.torch_fit import Plan, train
from models.networks.cnn_rnn import CnnRnn
from models.signal.inputs import BANDS
from models.training.export_torch import network_to_onnx

EPOCHS = 40
"""Most epochs; fewer where a held-out part of the source says so."""


class BreathingModel(NeuralModel):
    """A fitted `CnnRnn`."""

    def to_onnx(self, name: str) -> bytes:
        """See `models.training.export_torch`."""
        return network_to_onnx(self.network, name, (BANDS, STEPS), streams=None)


class CnnRnnLearner(Learner):
    """Classes of breathing rate from slow series of 30 s (`models.data.breaths`)."""

    NAME = "cnn_rnn"
    TITLE = "CNN -> GRU on 30 s of breathing (after Zhao et al., ICML 2017, row 20; simulation only)"
    TASKS = ("breathing",)
    INPUTS = (SERIES,)

    def fit(self, samples: Samples, seed: int, *, progress: Share = unseen) -> BreathingModel:
        """Train on these rows; the number of epochs comes from rooms held out first.

        Raises:
            SelectionError: they cannot be learned from (`models.learners.check`).
        """
        torch.set_num_threads(1)
        check_rows(samples, SERIES, (BANDS, STEPS))
        plan = Plan(SERIES, "softmax", seed, epochs=EPOCHS, patience=10)
        network, curve = train(lambda: CnnRnn(BANDS, len(samples.classes)), samples, plan, progress)
        return BreathingModel(network, SERIES, "softmax", curve, None)
