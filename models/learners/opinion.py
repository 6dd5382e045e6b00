"""What several methods say together: the mean of their log probabilities (Genest and Zidek, Stat. Sci. 1986).

Methods that lean on old rooms in different ways err in different places, and which of them errs least in a
room cannot be told from a handful of labelled rows. Members were chosen on source rooms alone: pairs of days
of device_loc, persons of har_two_rooms' meeting room, each as if it were new.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from models.learners.base import Found, Learner, Method, Problem

POOLS: Mapping[str, tuple[str, ...]] = {
    "opinion_2": ("two_covariance", "pooled"),
    "opinion_3": ("two_covariance", "pooled", "target_only"),
}
"""Old rooms as what is expected, as rows among rows, and in the second not at all."""
_LEAST = 1e-4


def opinion(learner: "Learner", name: str) -> "Method":
    """The pool of that name."""

    def method(problem: "Problem", fitted: Any, seed: int) -> "Found":  # noqa: ANN401 - Fitted
        methods, classes = learner.methods(), len(problem.spec.classes)
        return agreed([methods[one](problem, fitted, seed)[:, :classes] for one in POOLS[name]])

    return method


def agreed(answers: Sequence["Found"]) -> "Found":
    """Probabilities ``[row, class]`` in proportion to the geometric mean of the members' own."""
    mean = np.mean([np.log(np.maximum(one, _LEAST)) for one in answers], axis=0)
    found = np.exp(mean - mean.max(axis=1, keepdims=True))
    return np.asarray(found / found.sum(axis=1, keepdims=True), np.float64)
