"""Non-negative factors as a step that an ONNX graph can repeat: a fixed number of multiplicative updates."""

import warnings
from typing import Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.decomposition import NMF
from sklearn.exceptions import ConvergenceWarning

Floats = npt.NDArray[np.float64]
STEPS = 40
TINY = 1e-9


class Factors(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """Weights of non-negative parts (Lee and Seung, "Algorithms for Non-negative Matrix ...", NIPS 2000).

    Attributes:
        low: what is subtracted so that training rows are not negative, ``[feature]``.
        parts: the dictionary ``[part, feature]``, learned by scikit-learn's NMF.
    """

    def __init__(self, parts: int = 8, seed: int = 0) -> None:
        self.parts = parts
        self.seed = seed

    def fit(self, values: Floats, labels: object = None) -> Self:
        """Learn the parts of these rows."""
        del labels
        self.low_, self.n_features_in_ = values.min(axis=0), values.shape[1]
        count = min(self.parts, *values.shape)
        model = NMF(count, init="nndsvda", random_state=self.seed, max_iter=400, tol=1e-3)
        with warnings.catch_warnings():  # parts that could still be a little better are parts too
            warnings.simplefilter("ignore", ConvergenceWarning)
            model.fit(values - self.low_)
        self.parts_ = np.asarray(model.components_, np.float64)
        return self

    def transform(self, values: Floats) -> Floats:
        """Weights ``[row, part]`` after `STEPS` updates from equal weights."""
        above = np.maximum(values - self.low_, 0)
        asked = above @ self.parts_.T
        gram = self.parts_ @ self.parts_.T
        weights = np.ones_like(asked)
        for _ in range(STEPS):
            weights = weights * asked / (weights @ gram + TINY)
        return np.asarray(weights, np.float64)
