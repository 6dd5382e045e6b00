"""What stands beside every figure: chance, simple learners, a random network, the controls of DESIGN A6."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from scipy.spatial.distance import cdist
from sklearn.base import clone
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.kernel_ridge import KernelRidge
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from models.data.samples import MOTION, PLAIN, PROFILE, Samples
from models.learners.base import Found, Problem
from models.signal.baseline import FLOOR

Baseline = Callable[[Problem, int], Found]
_SURE = 0.9
"""Of the class that a control answers: it is not calibrated, and flat answers would hide in a median."""
HIDDEN = 256
"""Units of the network whose weights stay random."""


def baselines(problem: Problem, *, doubtful: bool = False) -> dict[str, Baseline]:
    """Those that apply to the problem, by name; where the data are doubtful the fingerprint control too."""
    classed = bool(problem.spec.classes)
    found: dict[str, Baseline] = {"majority": majority} if classed else {"mean_place": mean_place}
    if PLAIN in problem.query.inputs and not problem.foreign:
        found |= {"lda": lda, "knn": knn} if classed else {"kernel_ridge": kernel_ridge, "knn": knn}
        found["random_network"] = random_network
    if problem.spec.name == "presence" and MOTION in problem.query.inputs:
        found |= {"motion_statistic": motion_statistic, "moved_variance": moved_variance}
    if classed and (doubtful or same_recording(problem)) and PROFILE in problem.query.inputs:
        found["recording_fingerprint"] = fingerprint
    return found


def majority(problem: Problem, seed: int) -> Found:
    """Always what the source shows, of another site the support: its class shares."""
    del seed
    rows = problem.support if problem.foreign and problem.support is not None else problem.source
    share = np.bincount(rows.label, minlength=len(rows.classes))
    return np.tile(share / share.sum(), (len(problem.query), 1))


def mean_place(problem: Problem, seed: int) -> Found:
    """Always the middle of the source's places, of another site the support's."""
    del seed
    rows = problem.support if problem.foreign and problem.support is not None else problem.source
    return np.tile(rows.label.mean(axis=0), (len(problem.query), 1))


def lda(problem: Problem, seed: int) -> Found:
    """Linear discriminant analysis with shrinkage on the plain features."""
    del seed
    return _fitted(problem, LinearDiscriminantAnalysis(solver="lsqr", shrinkage="auto"))


def knn(problem: Problem, seed: int) -> Found:
    """Five nearest neighbours on the plain features, standardised."""
    del seed
    return _fitted(problem, KNeighborsClassifier(5) if problem.spec.classes else KNeighborsRegressor(5))


def kernel_ridge(problem: Problem, seed: int) -> Found:
    """Kernel ridge regression with a Gaussian kernel on the plain features, standardised."""
    del seed
    return _fitted(problem, KernelRidge(kernel="rbf", alpha=0.1, gamma=0.5 / _plain(problem.source).shape[1]))


def random_network(problem: Problem, seed: int) -> Found:
    """A layer of random weights that stay as they are, and a linear head fitted on the source."""
    rng = np.random.default_rng(1000 + seed)
    plain = StandardScaler().fit(_plain(problem.source))
    weight = rng.standard_normal((_plain(problem.source).shape[1], HIDDEN)) / np.sqrt(HIDDEN)
    bias = rng.standard_normal(HIDDEN)

    def hidden(samples: Samples) -> npt.NDArray[np.float64]:
        return np.asarray(np.maximum(plain.transform(_plain(samples)) @ weight + bias, 0))

    head = LogisticRegression(max_iter=300, C=0.1) if problem.spec.classes else Ridge(1.0)
    return _answers(problem, head, hidden(problem.source), hidden(problem.query))


def fingerprint(problem: Problem, seed: int) -> Found:
    """Control: the static mean profile alone. It recognises the recording.

    Nearest row of the support where there is one, else nearest class mean of the source.
    """
    del seed
    labelled = problem.support if problem.support is not None else problem.source
    width = min(labelled.profile.shape[1], problem.query.profile.shape[1])
    seen, asked = np.unique(labelled.label), problem.query.profile[:, :width]
    rows = [labelled.profile[labelled.label == one, :width] for one in seen]
    centres = rows if problem.support is not None else [one.mean(axis=0)[None] for one in rows]
    distance = np.stack([cdist(asked, one, "sqeuclidean").min(axis=1) for one in centres], axis=1)
    out = np.full((len(asked), len(problem.spec.classes)), (1 - _SURE) / len(problem.spec.classes))
    out[np.arange(len(asked)), seen[distance.argmin(axis=1)]] += _SURE
    return out


def motion_statistic(problem: Problem, seed: int) -> Found:
    """Presence by phi alone, no learning but a threshold: the one that does best on the source."""
    del seed
    return _by_threshold(problem, column=0, scale=0.05)


def moved_variance(problem: Problem, seed: int) -> Found:
    """Presence by the variance that motion explains, with the threshold that does best on the source."""
    del seed
    return _by_threshold(problem, column=1, scale=0.4)


def _by_threshold(problem: Problem, column: int, scale: float) -> Found:
    """The middle of the widest gap among the best thresholds; `moved` is compared in logarithm."""
    known, asked = (side.motion[:, column].astype(np.float64) for side in (problem.source, problem.query))
    if column == 1:
        known, asked = np.log(np.maximum(known, FLOOR)), np.log(np.maximum(asked, FLOOR))
    labels = problem.source.label
    edges = np.unique(known)
    if len(edges) < 2:  # too few packets a second: nothing of it was measured, and no threshold tells any two
        return majority(problem, 0)
    scores = [(known[labels == 1] > edge).mean() + (known[labels == 0] <= edge).mean() for edge in edges[:-1]]
    best = int(np.argmax(scores))
    threshold = (edges[best] + edges[best + 1]) / 2
    occupied = 1 / (1 + np.exp(-np.clip((asked - threshold) / scale, -30, 30)))
    return np.stack([1 - occupied, occupied], axis=1)


def same_recording(problem: Problem) -> bool:
    """Whether labelled rows and judged ones come from one recording, so that the control must be shown."""
    return problem.support is not None or bool(
        set(problem.source.session.tolist()) & set(problem.query.session.tolist())
    )


def _plain(samples: Samples) -> npt.NDArray[np.float64]:
    return np.asarray(samples.inputs[PLAIN], np.float64).reshape(len(samples), -1)


def _fitted(problem: Problem, model: object) -> Found:
    whole = make_pipeline(StandardScaler(), clone(model))
    return _answers(problem, whole, _plain(problem.source), _plain(problem.query))


def _answers(problem: Problem, model: object, known: Found, asked: Found) -> Found:
    """Fit on the source, answer the query; classes that the source lacks have probability 0."""
    estimator = model.fit(known, problem.source.label)  # type: ignore[attr-defined]
    if not problem.spec.classes:
        return np.asarray(estimator.predict(asked), np.float64)
    out = np.zeros((len(asked), len(problem.source.classes)))
    out[:, estimator.classes_] = estimator.predict_proba(asked)
    return out
