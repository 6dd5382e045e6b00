"""Linear discriminant analysis that does not see the gain of a link: from one day to the next it moves.

In the logarithm a gain shifts all numbers of a link alike. Added to the covariance within classes, that
direction weighs nothing any more (within-class covariance normalisation; Hatch, Kajarekar, Stolcke,
Interspeech 2006, with a covariance that is known instead of measured).
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from models.data.samples import Samples
from models.data.wical import SIZES, TERMS
from models.learners.base import Found, Inputs, Learner, Share, unseen
from models.learners.ensemble import LEAST, Ensemble, members

Floats = npt.NDArray[np.float64]
GAIN = 1.0
"""Standard deviation of a link's gain from day to day, natural logarithm: more than ever happens."""
SHRINKAGE = 0.3
TEMPERATURE = 4.0
"""Neighbouring numbers of a row are far from independent: logits of a linear discriminant are too large."""
_FLOOR = 0.02


class GainFree:
    """Fitted class means and the inverse of the covariance within classes."""

    def __init__(self, means: Floats, inverse: Floats, present: npt.NDArray[np.int64], classes: int) -> None:
        self._turned = means @ inverse
        self._offset = 0.5 * np.einsum("cf,cf->c", self._turned, means)
        self._present, self._classes = present, classes

    def predict(self, inputs: Inputs) -> Found:
        """Class probabilities ``[row, class]``."""
        logits = (logs(inputs[SIZES]) @ self._turned.T - self._offset) / TEMPERATURE
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        found = np.zeros((len(logits), self._classes))
        found[:, self._present] = powers / powers.sum(axis=1, keepdims=True)
        return found


class GainFreeLda(Learner):
    """Counts and sections from statistics of links' amplitudes."""

    NAME = "gain_free_lda"
    TITLE = "linear discriminant analysis blind to the gain of each link"
    TASKS = ("counting", "localization")
    INPUTS = (SIZES,)

    def fit(self, samples: Samples, seed: int, *, progress: Share = unseen) -> GainFree:
        """Fit on these rows; nothing in it is random."""
        del seed
        values = logs(samples.inputs[SIZES])
        present = np.unique(samples.label)
        means = np.stack([values[samples.label == one].mean(axis=0) for one in present])
        within = values - means[np.searchsorted(present, samples.label)]
        covariance = within.T @ within / len(values)
        covariance = (1 - SHRINKAGE) * covariance + SHRINKAGE * np.diag(np.diag(covariance))
        links = samples.inputs[SIZES].shape[1]
        covariance += GAIN**2 * np.kron(np.eye(links), np.ones((len(covariance) // links,) * 2))
        progress(1.0)
        return GainFree(means, np.linalg.inv(covariance), present, len(samples.classes))


def logs(sizes: npt.NDArray[np.float64]) -> Floats:
    """Logarithms of statistics, ``[row, link x statistic x subcarrier]``."""
    return np.log(np.maximum(sizes, _FLOOR) + _FLOOR).reshape(len(sizes), -1)


class LinkViews(Learner):
    """Sections: several views of the same rows, each read by the same three classifiers, and all averaged."""

    NAME = "link_views"
    TITLE = "LDA + extra trees + SVM on several views of links' statistics, and gain-free LDA"
    TASKS = ("localization", "counting")
    INPUTS = (SIZES, TERMS)
    FEWEST = 3

    def fit(self, samples: Samples, seed: int, *, progress: Share = unseen) -> "Views":
        """Fit every classifier on every view."""
        found = views(samples.inputs)
        fitted = {}
        for done, (name, rows) in enumerate(found.items()):
            fitted[name] = Ensemble(members(rows, samples.label, seed), name, len(samples.classes))
            progress((done + 1) / len(found))
        return Views(fitted, GainFreeLda().fit(samples, seed))


class Views:
    """Fitted ensembles by view."""

    def __init__(self, ensembles: Mapping[str, Ensemble], gain_free: GainFree) -> None:
        self._ensembles, self._gain_free = ensembles, gain_free

    def predict(self, inputs: Inputs) -> Found:
        """Class probabilities ``[row, class]``: the mean of all logarithms."""
        found = views(inputs)
        answers = [one.of(found[name]) for name, one in self._ensembles.items()]
        answers.append(self._gain_free.predict(inputs))
        logs_of = np.mean([np.log(np.maximum(one, LEAST)) for one in answers], axis=0)
        powers = np.exp(logs_of - logs_of.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float64)


def views(inputs: Inputs) -> dict[str, Floats]:
    """Rows ``[row, feature]`` by name: raw, relative to the link's level, in logarithm, as ratios, terms."""
    sizes, terms = inputs[SIZES], inputs[TERMS]
    deviation, least, largest, lower, upper, mean = (sizes[:, :, place] for place in range(6))
    safe = np.maximum(mean, 1e-3)
    level = safe.mean(axis=-1)[:, :, None, None]
    ratios = (
        np.stack([deviation, largest - least, upper - lower, largest - mean, mean - least], axis=2)
        / safe[:, :, None]
    )
    found = {
        "raw": np.concatenate([sizes.reshape(len(sizes), -1), terms.reshape(len(terms), -1)], axis=1),
        "relative": sizes / level,
        "logarithm": np.log(np.maximum(sizes, 1e-2) / level),
        "ratios": ratios,
        "log ratios": np.log(np.maximum(ratios, 0) + 0.01),
        "terms": terms,
    }
    return {name: np.asarray(value, np.float64).reshape(len(value), -1) for name, value in found.items()}
