"""A support vector machine in a space where what varies within a place counts for less."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from sklearn.svm import SVC

from models.learners.fingerprint.states import less_class, shrunk
from models.learners.fingerprint.views import Floats, softmax

SLACK = 10.0
SHRINKAGE = 0.1
_SHARPNESS = 2.0
"""One unit of margin is this much in the logarithm of the odds."""

Labels = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Scale:
    """Rows less `mean`, times `matrix`."""

    mean: Floats
    matrix: Floats

    def __call__(self, rows: Floats) -> Floats:
        """Scaled rows ``[row, feature]``."""
        return np.asarray((rows - self.mean) @ self.matrix, np.float64)


def standardising(rows: Floats) -> Scale:
    """Every feature over its standard deviation."""
    deviation = rows.std(axis=0)
    return Scale(rows.mean(axis=0), np.diag(1 / np.where(deviation > 0, deviation, 1.0)))


def whitening(rows: Floats, label: Labels) -> Scale:
    """Directions over the standard deviation that they have within a class, a tenth of it made round."""
    within = less_class(rows, label)
    values, vectors = np.linalg.eigh(shrunk(within.T @ within / len(rows), SHRINKAGE))
    return Scale(rows.mean(axis=0), vectors / np.sqrt(values))


class MarginSvm:
    """A Gaussian-kernel SVM on scaled rows; margins against the rest become probabilities by softmax."""

    def __init__(self, scale: Scale) -> None:
        self._scale = scale
        self._svm = SVC(C=SLACK, gamma="scale", decision_function_shape="ovr")

    def fit(self, rows: Floats, label: Labels) -> "MarginSvm":
        """Learn from rows ``[row, feature]`` and their classes."""
        self._svm.fit(self._scale(rows), label)
        self.classes_ = self._svm.classes_
        return self

    def predict_proba(self, rows: Floats) -> Floats:
        """Probabilities ``[row, class]`` in the order of `classes_`."""
        margins = np.asarray(self._svm.decision_function(self._scale(rows)), np.float64)
        if margins.ndim == 1:
            margins = np.stack([-margins, margins], axis=1) / 2
        return softmax(_SHARPNESS * margins)
