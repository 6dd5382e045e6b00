"""Learner of the metal gate: the amplitude of what is not static, K-means with two clusters, a reference.

After Wi-Metal (ICC 2016). There the phase difference between antennas cancels what all antennas share, and
the static path; then amplitudes of somebody who stands still fall into two clusters. Windows that serve hold
power alone, free of any phase error and of each packet's gain; the mean over the window, which is the static
path, is taken out of it. What is left is how far the body on the link moves the channel, and that is
clustered: another quantity than the paper's, to the same end.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from models.data.samples import Samples
from models.errors import SelectionError
from models.learners.base import Curve, Found, Inputs, Learner, Share, unseen
from models.learners.check import check_rows
from models.learners.gate.clusters import LEAST_ROWS, Clusters, Floats, carried_on, clustered
from models.learners.gate.export import to_onnx
from models.learners.shallow.learner import arranged
from models.signal.variation import NAMES
from models.signal.variation import VERSION as VARIATION
from models.tasks.decode import probabilities
from models.tasks.suspicious_object import NONE
from models.training.held_out import temperature
from models.zoo import Output

METAL = "metal"
FEATURES = ("variance", "log_variance", "moved", "log_moved")
"""Logarithms of sizes; variation of the power, of the log amplitude, and what of both motion explains."""
COLUMNS = [NAMES.index(name) for name in FEATURES]


class GateModel:
    """Fitted clusters. Where they are not believed, every answer is even: 0.5 for either class."""

    features = VARIATION
    output: Output = "softmax"

    def __init__(self, clusters: Clusters, classes: tuple[str, ...], sharpness: float, seed: int) -> None:
        self.clusters, self.classes, self.sharpness, self.seed = clusters, classes, sharpness, seed
        self.curve = Curve()

    @property
    def weight(self) -> Floats:
        """From the two closenesses to the logits of the classes, ``[2, class]``."""
        order = [self.classes.index(NONE), self.classes.index(METAL)]
        sure = 0.0 if self.clusters.doubt else self.sharpness
        return np.asarray(sure * np.eye(2)[:, np.argsort(order)], np.float64)

    def logits(self, inputs: Inputs) -> Found:
        """Logits ``[row, class]``: -ln(1 + d^2) of each centre; far from both they are even."""
        return np.asarray(-np.log1p(self.clusters.apart(rows_of(inputs))) @ self.weight, np.float64)

    def predict(self, inputs: Inputs) -> Found:
        """Class probabilities ``[row, class]``."""
        return probabilities(self.logits(inputs), self.output)

    def adapted(self, inputs: Inputs) -> "GateModel":
        """Clusters of another lane's rows, named by which lies to the side of none here.

        The same model where its own clusters are not believed, or too few rows are seen.
        """
        rows = rows_of(inputs)
        if self.clusters.doubt or len(rows) < LEAST_ROWS:
            return self
        return GateModel(carried_on(rows, self.clusters, self.seed), self.classes, self.sharpness, self.seed)

    def to_onnx(self, name: str) -> bytes:
        """See `models.learners.gate.export`.

        Raises:
            SelectionError: the clusters are not believed.
        """
        if self.clusters.doubt:
            raise SelectionError(
                f"the two clusters are not none and metal: {self.clusters.doubt}. Record the reference and "
                "the metal at one marked place, and train on that lane alone (--domains)"
            )
        return to_onnx(self.clusters, COLUMNS, self.weight, name)


class MetalGate(Learner):
    """Row 13: two clusters; labels name them and fit how sure to be, the cut itself sees none."""

    NAME = "metal_gate"
    TITLE = "K-means, K = 2, for somebody who stands still (after Wi-Metal, ICC 2016, row 13; experimental)"
    TASKS = ("suspicious_object",)
    INPUTS = (VARIATION,)
    CARD: ClassVar[Mapping[str, Any]] = {
        "experimental": True,
        "subject": "static: one person who stands still on the link of one lane; it says nothing of walkers",
    }
    STANDING = True

    def fit(self, samples: Samples, seed: int, *, progress: Share = unseen) -> GateModel:
        """Cut all rows in two; the cluster of most rows labelled none is none.

        Raises:
            SelectionError: classes other than none and metal, one class alone, no rows, or rows that cannot
                be learned from (`models.learners.check`).
        """
        if not len(samples):
            raise SelectionError(f"learner {self.NAME} needs rows; there are none")
        _check_classes(samples.classes)
        reference = samples.label == samples.classes.index(NONE)
        if not reference.any():
            raise SelectionError(f"no reference: none of {len(samples)} rows is labelled {NONE}")
        check_rows(samples, VARIATION, (len(NAMES),))
        clusters = clustered(rows_of(samples.inputs), reference, seed)
        progress(0.8)
        plain = GateModel(clusters, samples.classes, 1.0, seed)
        if clusters.doubt:
            return plain
        heat = temperature(plain.logits(samples.inputs), samples.label, "softmax")
        return GateModel(clusters, samples.classes, 1 / heat, seed)


def rows_of(inputs: Inputs) -> Floats:
    """Sizes of the variation, the mean over measured streams, ``[row, 4]``."""
    return arranged({**inputs, VARIATION: inputs[VARIATION][..., COLUMNS]}, VARIATION, pooled=True)


def _check_classes(classes: tuple[str, ...]) -> None:
    if NONE not in classes:
        raise SelectionError(
            f"no reference: rows of nothing carried must be labelled {NONE!r}; there are {', '.join(classes)}"
        )
    if set(classes) != {NONE, METAL}:
        raise SelectionError(
            f"two clusters tell {NONE} from {METAL}, not {', '.join(classes)}; "
            f"leave the others out: evaluate takes --classes {NONE},{METAL}, dataset.toml other labels"
        )
