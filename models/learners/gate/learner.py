"""Learner of the metal gate: amplitudes between antennas, K-means with two clusters, a reference.

After Wi-Metal (ICC 2016), for somebody who stands still in one lane. There the phase difference between
antennas takes out what antennas share; here the amplitude of the same quotient does: log amplitudes of each
stream less the mean of all streams, by subcarrier. Windows that serve hold power alone, free of any phase
error, so the phase itself is not looked at.
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from models.data.samples import MASK, Samples
from models.errors import SelectionError
from models.learners.base import Curve, Found, Inputs, Learner, Share, unseen
from models.learners.check import check_rows
from models.learners.gate.clusters import Clusters, Floats, clustered
from models.learners.gate.export import to_onnx
from models.signal.grid import SUBCARRIERS
from models.signal.inputs import PROFILE
from models.tasks.decode import probabilities
from models.tasks.suspicious_object import NONE
from models.training.held_out import temperature
from models.zoo import Output

METAL = "metal"


class GateModel:
    """Fitted clusters. Where they are not believed, every answer is even: 0.5 for either class."""

    features = PROFILE
    output: Output = "softmax"

    def __init__(self, clusters: Clusters, classes: tuple[str, ...], sharpness: float) -> None:
        self.clusters, self.classes, self.sharpness = clusters, classes, sharpness
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
        return to_onnx(self.clusters, self.weight, name)


class MetalGate(Learner):
    """Row 13: two clusters; labels name them and fit how sure to be, the cut itself sees none."""

    NAME = "metal_gate"
    TITLE = "K-means, K = 2, for somebody who stands still (after Wi-Metal, ICC 2016, row 13; experimental)"
    TASKS = ("suspicious_object",)
    INPUTS = (PROFILE,)
    CARD: ClassVar[Mapping[str, Any]] = {
        "experimental": True,
        "subject": "static: one person who stands still on the link of one lane; it says nothing of walkers",
    }
    STANDING = True

    def fit(self, samples: Samples, seed: int, *, progress: Share = unseen) -> GateModel:
        """Cut all rows in two; the cluster of most rows labelled none is none.

        Raises:
            SelectionError: classes other than none and metal, one class alone, no rows, one stream, or
                rows that cannot be learned from (`models.learners.check`).
        """
        if not len(samples):
            raise SelectionError(f"learner {self.NAME} needs rows; there are none")
        _check_classes(samples.classes)
        reference = samples.label == samples.classes.index(NONE)
        if not reference.any():
            raise SelectionError(f"no reference: none of {len(samples)} rows is labelled {NONE}")
        check_rows(samples, PROFILE, (SUBCARRIERS,))
        if samples.inputs[PROFILE + MASK].sum(axis=1).max() < 2:
            raise SelectionError("rows hold one stream each; amplitudes between antennas need two or more")
        clusters = clustered(rows_of(samples.inputs), reference, seed)
        progress(0.8)
        plain = GateModel(clusters, samples.classes, 1.0)
        if clusters.doubt:
            return plain
        heat = temperature(plain.logits(samples.inputs), samples.label, "softmax")
        return GateModel(clusters, samples.classes, 1 / heat)


def rows_of(inputs: Inputs) -> Floats:
    """Log amplitudes of measured streams less their mean, by subcarrier, side by side, ``[row, feature]``."""
    values, weight = np.asarray(inputs[PROFILE], np.float64), np.asarray(inputs[PROFILE + MASK])[..., None]
    measured = values * weight
    mean = measured.sum(axis=1) / np.maximum(weight.sum(axis=1), 1)
    return np.asarray((measured - mean[:, None]) * weight, np.float64).reshape(len(values), -1)


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
