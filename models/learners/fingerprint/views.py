"""One answer from several views of the same rows, each with classifiers of its own."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from models.data.samples import Samples
from models.errors import SelectionError
from models.learners.base import Found, Inputs
from models.learners.ensemble import LEAST, Ensemble

Floats = npt.NDArray[np.float64]
Made = Callable[[Inputs], Mapping[str, npt.NDArray[np.floating]]]
"""Inputs -> rows ``[row, feature]`` of each view."""


class Views:
    """Fitted ensembles, each named after the view that it reads.

    Their logarithms of probability are averaged, so that any may veto. An average is less sure than it could
    be: `sharpness` multiplies it.
    """

    def __init__(self, made: Made, ensembles: Sequence[Ensemble], sharpness: float = 1.0) -> None:
        self._made, self._ensembles, self._sharpness = made, ensembles, sharpness

    def predict(self, inputs: Inputs) -> Found:
        """Class probabilities ``[row, class]``, every row by itself."""
        rows = self._made(inputs)
        answers = [one.of(np.asarray(rows[one.name], np.float64)) for one in self._ensembles]
        logs = np.mean([np.log(np.maximum(one, LEAST)) for one in answers], axis=0)
        return softmax(self._sharpness * logs)


def softmax(logs: Floats) -> Floats:
    """Probabilities ``[row, class]`` of what is their logarithm up to a constant of the row."""
    powers = np.exp(logs - logs.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float64)


def check_labelled(samples: Samples) -> None:
    """Refuse rows that teach no difference.

    Raises:
        SelectionError: they are all of one class.
    """
    if len(np.unique(samples.label)) < 2:
        raise SelectionError(f"{len(samples)} labelled rows hold one class; a place needs another beside it")
