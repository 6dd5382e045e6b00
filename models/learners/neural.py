"""Learners of torch networks on windows: which network reads what, for which tasks, after which paper."""

from collections.abc import Callable

import numpy as np
import torch

from models.data.samples import MASK, Samples
from models.learners.base import Curve, Found, Inputs, Learner, Share, unseen
from models.learners.check import check_rows
from models.learners.shallow.denoise import kept
from models.learners.torch_fit import Plan, train
from models.networks.backbone import WindowNetwork
from models.networks.convolutional import FingerprintCnn, SnapshotCnn
from models.networks.dense import Dense, Fingerprint
from models.networks.patches import CnnBiLstm, PatchCnn
from models.signal.grid import SUBCARRIERS
from models.signal.inputs import AMPLITUDE, BANDS, PROFILE, TIME_BINS
from models.signal.variation import NAMES
from models.signal.variation import VERSION as VARIATION
from models.tasks.decode import probabilities
from models.training.export_torch import network_to_onnx
from models.zoo import Output

SHAPES = {VARIATION: (len(NAMES),), PROFILE: (SUBCARRIERS,), AMPLITUDE: (BANDS, TIME_BINS)}
COMPONENTS = 24
EPOCHS = 60
"""Most epochs; fewer where a held-out part of the source says so."""


class NeuralModel:
    """A fitted network. `streams` is how many it must be fed, None for any number."""

    def __init__(
        self, network: WindowNetwork, features: str, output: Output, curve: Curve, streams: int | None
    ) -> None:
        self.network, self.features, self.output = network, features, output
        self.curve, self.streams = curve, streams

    def logits(self, inputs: Inputs) -> Found:
        """Logits ``[row, output]`` with the network's own head."""
        return self._run(inputs)[1]

    def embedded(self, inputs: Inputs) -> Found:
        """What the head looks at ``[row, feature]``."""
        return self._run(inputs)[0]

    def predict(self, inputs: Inputs) -> Found:
        """Class probabilities ``[row, class]``, or metres ``[row, 2]``."""
        logits = self.logits(inputs)
        return logits if self.output == "metres" else probabilities(logits, self.output)

    def _run(self, inputs: Inputs) -> tuple[Found, Found]:
        network = self.network.eval()
        with torch.no_grad():
            features = torch.from_numpy(np.ascontiguousarray(inputs[self.features], np.float32))
            mask = torch.from_numpy(inputs[self.features + MASK]).float()
            embedding, logits = network(features, mask, *network.head())
        return embedding.double().numpy(), logits.double().numpy()

    def to_onnx(self, name: str) -> bytes:
        """See `models.training.export_torch`."""
        return network_to_onnx(self.network, name, SHAPES[self.features], streams=self.streams)


class NeuralLearner(Learner):
    """A network on one input; subclasses say which.

    Attributes:
        FEATURES: the input it reads.
        CLEANED: which outliers are left out of training (`models.learners.shallow.denoise`).
        FIXED: whether the number of streams is that of the training rows.
    """

    FEATURES: str
    CLEANED = "none"
    FIXED = False

    @property
    def INPUTS(self) -> tuple[str, ...]:  # type: ignore[override]  # noqa: N802 - as `Learner` has it
        """The one input."""
        return (self.FEATURES,)

    def network(self, streams: int, outputs: int) -> WindowNetwork:
        """An unfitted network for rows of so many streams."""
        raise NotImplementedError

    def fit(self, samples: Samples, seed: int, *, progress: Share = unseen) -> NeuralModel:
        """Train on these rows; the number of epochs comes from source rows held out first.

        Raises:
            SelectionError: they cannot be learned from (`models.learners.check`).
        """
        torch.set_num_threads(1)
        check_rows(samples, self.FEATURES, SHAPES[self.FEATURES])
        cleaned, output = self._cleaned(samples, seed), output_of(samples)
        streams = samples.inputs[self.FEATURES].shape[1]
        outputs = {"ordinal": len(samples.classes) - 1, "softmax": len(samples.classes), "metres": 2}[output]
        plan = Plan(self.FEATURES, output, seed, epochs=EPOCHS)
        network, curve = self._trained(lambda: self.network(streams, outputs), cleaned, plan, progress)
        return NeuralModel(network, self.FEATURES, output, curve, streams if self.FIXED else None)

    def frozen(self, fitted: NeuralModel, inputs: Inputs) -> Found:
        """The embedding, from which the network's own head answers."""
        return fitted.embedded(inputs)

    def _trained(
        self, made: Callable[[], WindowNetwork], samples: Samples, plan: Plan, progress: Share
    ) -> tuple[WindowNetwork, Curve]:
        return train(made, samples, plan, progress)

    def _cleaned(self, samples: Samples, seed: int) -> Samples:
        """Rows without the outliers of their class or place."""
        if self.CLEANED == "none":
            return samples
        _, groups = np.unique(samples.label, axis=0, return_inverse=True)
        values = np.asarray(samples.inputs[self.FEATURES], np.float64)
        values = values.mean(axis=-1) if values.ndim > 3 else values
        return samples.take(kept(self.CLEANED, values.reshape(len(values), -1), groups.ravel(), seed))


def output_of(samples: Samples) -> Output:
    """How a model of these labels answers: counts are ordered, other classes are not."""
    if not samples.classes:
        return "metres"
    return "ordinal" if samples.task == "counting" else "softmax"


class CountingDnn(NeuralLearner):
    """Row 2: a perceptron on how the channel varies."""

    NAME = "counting_dnn"
    TITLE = "perceptron on variation of CSI (after Zhou et al., Wireless Networks 2020, row 2)"
    TASKS = ("counting", "presence", "activity", "localization")
    FEATURES = VARIATION

    def network(self, streams: int, outputs: int) -> WindowNetwork:
        """See `NeuralLearner`."""
        del streams
        return Dense(len(NAMES), outputs)


class FingerprintDnn(NeuralLearner):
    """Row 3: DBSCAN, principal components, perceptron."""

    NAME = "fingerprint_dnn"
    TITLE = "DBSCAN + PCA + perceptron on fingerprints (after Zhou et al., SECON 2018, row 3)"
    TASKS = ("localization",)
    FEATURES = PROFILE
    CLEANED = "dbscan"
    FIXED = True

    def network(self, streams: int, outputs: int) -> WindowNetwork:
        """See `NeuralLearner`."""
        return Fingerprint((streams, SUBCARRIERS), min(COMPONENTS, streams * SUBCARRIERS), outputs)


class FingerprintCnnLearner(NeuralLearner):
    """The base of row 5: isolation forest, then a 1D-CNN over subcarriers."""

    NAME = "fingerprint_cnn"
    TITLE = "isolation forest + 1D-CNN on fingerprints (after Zhou et al., AdapLoc, row 5)"
    TASKS = ("localization",)
    FEATURES = PROFILE
    CLEANED = "iforest"
    FIXED = True

    def network(self, streams: int, outputs: int) -> WindowNetwork:
        """See `NeuralLearner`."""
        return FingerprintCnn((streams, SUBCARRIERS), outputs)


class ObjectCnn(NeuralLearner):
    """Row 12: LOF, then a CNN on each window; walks are voted on by `models.signal.voting`."""

    NAME = "object_cnn"
    TITLE = "LOF + CNN on windows of a walk (after Zhou et al., WCNC 2020, row 12)"
    TASKS = ("suspicious_object", "activity")
    FEATURES = AMPLITUDE
    CLEANED = "lof"

    def network(self, streams: int, outputs: int) -> WindowNetwork:
        """See `NeuralLearner`."""
        del streams
        return SnapshotCnn(outputs)


class CnnBiLstmLearner(NeuralLearner):
    """Row 6: patch CNN, then BiLSTM on its tokens, trained one after the other."""

    NAME = "cnn_bilstm"
    TITLE = "patch CNN -> BiLSTM in two stages (after Sheng et al., IoT-J 2020, row 6)"
    TASKS = ("activity", "suspicious_object")
    FEATURES = AMPLITUDE

    def network(self, streams: int, outputs: int) -> WindowNetwork:
        """See `NeuralLearner`."""
        del streams
        return PatchCnn(outputs)

    def _trained(
        self, made: Callable[[], WindowNetwork], samples: Samples, plan: Plan, progress: Share
    ) -> tuple[WindowNetwork, Curve]:
        first, _ = train(made, samples, plan, lambda share: progress(share / 2))
        if not isinstance(first, PatchCnn):
            raise TypeError(f"the first stage is a PatchCnn, not {type(first).__name__}")
        first.requires_grad_(requires_grad=False)
        outputs = first.last.out_features
        return train(
            lambda: CnnBiLstm(first, outputs), samples, plan, lambda share: progress(0.5 + share / 2)
        )
