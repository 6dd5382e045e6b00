"""Discriminant analysis for a channel that is in one of several states, whatever the class.

A door, a chair or an antenna moves and all rows change at once. Rows of one place then form several clouds,
and one Gaussian a class takes the way between the clouds for noise. Here each class has a Gaussian a state,
all with one covariance (mixture discriminant analysis, Hastie and Tibshirani, 1996, with states that all
classes share); an answer sums over the states.
"""

import numpy as np
import numpy.typing as npt
from sklearn.cluster import KMeans

from models.learners.fingerprint.views import Floats, softmax

SHRINKAGE = 0.005
_LEAST = 4
"""Rows that a Gaussian needs; a thinner one says more about chance than about a place."""
_EACH = 20
"""Rows of every class that a state must be worth on average; with fewer rows there are fewer states."""


class StateLda:
    """A Gaussian a class and state, one covariance; each of them is equally likely before a look."""

    def __init__(self, states: int, seed: int) -> None:
        self._most, self._seed = states, seed

    def fit(self, rows: Floats, label: npt.NDArray[np.int64]) -> "StateLda":
        """Learn from rows ``[row, feature]`` and their classes."""
        self.classes_, number = np.unique(label, return_inverse=True)
        group = self._states(rows, number) * len(self.classes_) + number
        kept = [one for one in np.unique(group) if (group == one).sum() >= _LEAST]
        lost = np.setdiff1d(np.arange(len(self.classes_)), np.array(kept, int) % len(self.classes_))
        clouds = [rows[group == one] for one in kept] + [rows[number == one] for one in lost]
        self._class = np.array([one % len(self.classes_) for one in kept] + lost.tolist(), int)
        means = np.stack([cloud.mean(axis=0) for cloud in clouds])
        apart = [cloud - mean for cloud, mean in zip(clouds, means, strict=True)]
        covariance = np.mean([one.T @ one / len(one) for one in apart], axis=0)
        self._weight = np.linalg.solve(shrunk(covariance, SHRINKAGE), means.T)
        self._bias = -0.5 * (means.T * self._weight).sum(axis=0)
        return self

    def predict_proba(self, rows: Floats) -> Floats:
        """Probabilities ``[row, class]`` in the order of `classes_`."""
        each = softmax(rows @ self._weight + self._bias)
        return np.asarray(each @ (self._class[:, None] == np.arange(len(self.classes_))), np.float64)

    def _states(self, rows: Floats, number: npt.NDArray[np.intp]) -> npt.NDArray[np.int64]:
        """The state of every row: clusters of what is left once the mean of its class is taken off."""
        states = min(self._most, len(rows) // (len(self.classes_) * _EACH))
        if states < 2:
            return np.zeros(len(rows), np.int64)
        found = KMeans(states, n_init=4, random_state=self._seed).fit(less_class(rows, number))
        return np.asarray(found.labels_, np.int64)


def less_class(rows: Floats, label: npt.NDArray[np.integer]) -> Floats:
    """Rows less the mean of their class."""
    classes, number = np.unique(label, return_inverse=True)
    means = np.stack([rows[number == one].mean(axis=0) for one in range(len(classes))])
    return np.asarray(rows - means[number], np.float64)


def shrunk(covariance: Floats, share: float) -> Floats:
    """The covariance drawn by `share` to a round one of the same trace; never singular."""
    size = max(float(np.trace(covariance)) / len(covariance), 1e-12)
    return np.asarray((1 - share) * covariance + share * size * np.eye(len(covariance)), np.float64)
