"""Ways to carry any learner into a target with a few labelled rows; the controls of DESIGN A6 among them."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from models.data.samples import PLAIN, Samples
from models.errors import SelectionError

if TYPE_CHECKING:
    from models.learners.base import Found, Learner, Method, Problem

Floats = npt.NDArray[np.float64]
HIDDEN = 256
"""Units of the network whose weights stay random."""
MOST = 4000
"""Source rows that are pooled."""


def pooled(learner: "Learner") -> "Method":
    """Naive pooling: learned from source and support together, the support repeated to weigh as much."""

    def method(problem: "Problem", fitted: Any, seed: int) -> "Found":  # noqa: ANN401 - Fitted
        del fitted
        support = needed(problem)
        if problem.foreign and not problem.spec.classes:
            return target_only(learner)(problem, None, seed)
        source = thinned(problem.source)
        times = max(1, round(len(source) / len(support)))
        rows = Samples.join([source, *[support] * times])
        found: Found = learner.fit_as_usual(rows, seed).predict(problem.query.inputs)
        return found

    return method


def target_only(learner: "Learner") -> "Method":
    """Learned from the support alone; by the nearest row where a class has fewer than it needs."""

    def method(problem: "Problem", fitted: Any, seed: int) -> "Found":  # noqa: ANN401 - Fitted
        del fitted
        support = needed(problem)
        fewest = int(np.unique(support.label, axis=0, return_counts=True)[1].min())
        if fewest < learner.FEWEST:
            return _answers(make_pipeline(StandardScaler(), KNeighborsClassifier(1)), problem, _plain)
        found: Found = learner.fit(support, seed).predict(problem.query.inputs)
        return found

    return method


def head_only(learner: "Learner") -> "Method":
    """What the source learned stays frozen; a linear head on it is fitted on the support."""

    def method(problem: "Problem", fitted: Any, seed: int) -> "Found":  # noqa: ANN401 - Fitted
        del seed
        needed(problem)
        return _answers(_head(), problem, lambda samples: learner.frozen(fitted, samples.inputs))

    return method


def frozen_random(learner: "Learner") -> "Method":
    """Random weights on plain features, scaled by the source; a head on them fitted on the support."""
    del learner

    def method(problem: "Problem", fitted: Any, seed: int) -> "Found":  # noqa: ANN401 - Fitted
        del fitted
        needed(problem)
        scaler = StandardScaler().fit(_plain(problem.source))
        rng = np.random.default_rng(1000 + seed)
        weight = rng.standard_normal((scaler.n_features_in_, HIDDEN)) / np.sqrt(HIDDEN)
        bias = rng.standard_normal(HIDDEN)

        def hidden(samples: Samples) -> Floats:
            return np.asarray(np.maximum(scaler.transform(_plain(samples)) @ weight + bias, 0))

        return _answers(_head(), problem, hidden)

    return method


def needed(problem: "Problem") -> Samples:
    """The support.

    Raises:
        SelectionError: there is none.
    """
    if problem.support is None:
        raise SelectionError(
            "this method adapts on labelled rows of the target; give --support DOMAIN:AMOUNT"
        )
    return problem.support


def thinned(source: Samples) -> Samples:
    """Every so many-th row of each class and domain, `MOST` in all: rows of one recording are much alike."""
    step = -(-len(source) // MOST)
    _, label = np.unique(source.label, axis=0, return_inverse=True)
    _, domain = np.unique(source.domain, return_inverse=True)
    order = np.lexsort((source.start_s, label.ravel(), domain.ravel()))
    return source.take(np.sort(order[::step]))


def _head() -> Any:  # noqa: ANN401 - an estimator
    return make_pipeline(StandardScaler(), LogisticRegression(max_iter=300, C=0.1))


def _plain(samples: Samples) -> Floats:
    return np.asarray(samples.inputs[PLAIN], np.float64).reshape(len(samples), -1)


def _answers(model: Any, problem: "Problem", view: Callable[[Samples], Floats]) -> "Found":  # noqa: ANN401
    """Fitted on the support; classes that it lacks have probability 0."""
    support = needed(problem)
    if not problem.spec.classes:
        raise SelectionError("this method answers with classes; these labels are metres")
    estimator = model.fit(view(support), support.label)
    out = np.zeros((len(problem.query), len(problem.spec.classes)))
    out[:, estimator.classes_] = estimator.predict_proba(view(problem.query))
    return out
