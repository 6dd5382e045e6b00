"""What a shipped model remembers of its training windows, so that a room can learn beside them.

Methods that align a room with old ones need rows of these. A model ships no windows but statistics of their
vectors: the mean of each class in each of a few groups of rooms, and the covariance within. Rows are drawn
from them again, which is a generator in place of a core-set (METHODS, section 3C, after AAD).
"""

import io
from dataclasses import dataclass
from typing import Self

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
EACH = 12
"""Rows drawn for each class and group."""


@dataclass(frozen=True, slots=True, eq=False)
class Core:
    """Statistics of vectors (`models.runtime.Backbone.vector`).

    Attributes:
        mean: float32 ``[group, class, feature]``; NaN where a group holds no such class.
        within: float32 ``[feature, feature]``, covariance within group and class.
        weight: float32 ``[embedding, output]``, the shipped head; the embedding is the front of a vector.
        bias: float32 ``[output]``.
    """

    mean: npt.NDArray[np.float32]
    within: npt.NDArray[np.float32]
    weight: npt.NDArray[np.float32]
    bias: npt.NDArray[np.float32]

    def rows(self, seed: int = 0) -> tuple[Floats, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Vectors ``[row, feature]``, their class and their group ``[row]``; the same for the same seed."""
        groups, classes, width = self.mean.shape
        group, label = (axis.ravel() for axis in np.indices((groups, classes)))
        there = np.isfinite(self.mean).all(axis=2).ravel()
        group, label = np.repeat(group[there], EACH), np.repeat(label[there], EACH)
        values, vectors = np.linalg.eigh(self.within.astype(np.float64))
        root = vectors * np.sqrt(np.maximum(values, 0))
        noise = np.random.default_rng(seed).standard_normal((len(label), width))
        drawn = self.mean[group, label].astype(np.float64) + noise @ root.T
        return drawn, label.astype(np.int64), group.astype(np.int64)

    def to_bytes(self) -> bytes:
        """An .npz without pickles."""
        held = io.BytesIO()
        np.savez(
            held,
            allow_pickle=False,
            mean=self.mean,
            within=self.within,
            weight=self.weight,
            bias=self.bias,
        )
        return held.getvalue()

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """What `to_bytes` gave."""
        with np.load(io.BytesIO(data), allow_pickle=False) as held:
            return cls(held["mean"], held["within"], held["weight"], held["bias"])
