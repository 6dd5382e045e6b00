"""Several classical classifiers on one vector a row, their logarithms of probability averaged.

What separates classes in one room by a margin is found by one of them and not by the others in the next; the
mean of logarithms lets any of them veto.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.calibration import CalibratedClassifierCV
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from models.data.samples import Samples
from models.errors import SelectionError
from models.learners.base import Found, Inputs, Learner, Method, Problem, Share, unseen
from models.signal.clip_motion import VERSION as CLIP

Floats = npt.NDArray[np.float64]
LEAST = 1e-3
"""Least probability that enters a logarithm: no single member may rule a class out for good."""


class Ensemble:
    """Fitted members that look at the same rows."""

    def __init__(self, members: Sequence[Any], name: str, classes: int) -> None:
        self.members, self.name, self.classes = members, name, classes

    def predict(self, inputs: Inputs) -> Found:
        """Class probabilities ``[row, class]``."""
        return self.of(np.asarray(inputs[self.name], np.float64))

    def of(self, rows: Floats) -> Found:
        """Class probabilities of rows ``[row, feature]``."""
        logs = np.full((len(rows), self.classes), np.log(LEAST))
        present = self.members[0].classes_
        logs[:, present] = np.mean(
            [np.log(np.maximum(one.predict_proba(rows), LEAST)) for one in self.members], axis=0
        )
        powers = np.exp(logs - logs.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float64)


class ByDomain:
    """An ensemble fitted on rows standardised domain by domain, and the plain one for rows without company.

    A row by itself cannot be standardised; rows of an unknown domain can once some of them are seen.
    """

    def __init__(self, plain: Ensemble, standardised: Ensemble) -> None:
        self.plain, self.standardised = plain, standardised

    def predict(self, inputs: Inputs) -> Found:
        """Class probabilities ``[row, class]``, one row at a time."""
        return self.plain.predict(inputs)

    def adapted(self, inputs: Inputs) -> "Standardised":
        """The same for rows of where these unlabelled ones are from."""
        rows = np.asarray(inputs[self.plain.name], np.float64)
        return Standardised(self.standardised, rows.mean(axis=0), rows.std(axis=0) + 1e-6)


class Standardised:
    """An ensemble for rows of a domain whose mean and scale are known."""

    def __init__(self, ensemble: Ensemble, mean: Floats, scale: Floats) -> None:
        self._ensemble, self._mean, self._scale = ensemble, mean, scale

    def predict(self, inputs: Inputs) -> Found:
        """Class probabilities ``[row, class]``."""
        rows = np.asarray(inputs[self._ensemble.name], np.float64)
        return self._ensemble.of((rows - self._mean) / self._scale)


class ClipEnsemble(Learner):
    """Activities by how the channel moves during a clip: shrinkage LDA, extra trees and an SVM."""

    NAME = "clip_ensemble"
    TITLE = "shrinkage LDA + extra trees + SVM on motion features of clips"
    TASKS = ("activity",)
    INPUTS = (CLIP,)
    FEWEST = 3

    def methods(self) -> Mapping[str, Method]:
        """What all learners have; `adapted` is per-room standardisation here."""
        return {**super().methods(), "standardised": self._adapted}

    def baselines(self, problem: Problem) -> Sequence[str]:
        """What all learners show, and per-room standardisation where rows of the room may be looked at."""
        apart = problem.unlabelled is not None and not problem.foreign
        return [*super().baselines(problem), *(["standardised"] if apart else [])]

    def fit(self, samples: Samples, seed: int, *, progress: Share = unseen) -> ByDomain:
        """Fit on these clips."""
        rows = np.asarray(samples.inputs[CLIP], np.float64)
        plain = Ensemble(members(rows, samples.label, seed), CLIP, len(samples.classes))
        progress(0.5)
        alone = by_domain(rows, samples.domain)
        return ByDomain(plain, Ensemble(members(alone, samples.label, seed), CLIP, len(samples.classes)))


def members(rows: Floats, label: npt.NDArray[np.int64], seed: int) -> list[Any]:
    """The three classifiers, fitted; the margins of the SVM become probabilities by held-out fifths.

    Raises:
        SelectionError: a class has a single row.
    """
    fewest = int(np.unique(label, return_counts=True)[1].min())
    if fewest < 2:
        raise SelectionError("a class of the source has a single row; two are needed")
    margins = SVC(C=5.0, class_weight="balanced")
    trees = ExtraTreesClassifier(
        400, min_samples_leaf=2, max_features=0.15, class_weight="balanced", random_state=seed
    )
    made = (
        make_pipeline(StandardScaler(), LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto")),
        trees,
        make_pipeline(StandardScaler(), CalibratedClassifierCV(margins, cv=min(5, fewest), ensemble=False)),
    )
    return [one.fit(rows, label) for one in made]


def by_domain(rows: Floats, domain: npt.NDArray[np.str_]) -> Floats:
    """Rows less the mean of their domain, over its standard deviation."""
    out = np.empty_like(rows)
    for name in np.unique(domain):
        mine = domain == name
        out[mine] = (rows[mine] - rows[mine].mean(axis=0)) / (rows[mine].std(axis=0) + 1e-6)
    return out
