"""Statistics that a shipped model keeps of the vectors of its training windows (`models.zoo.core`)."""

import numpy as np

from models.data.samples import MASK, Samples
from models.runtime import Backbone
from models.zoo import Core

GROUPS = 4
"""Domains are dealt out to so many groups: how rooms differ is kept, single rooms are not."""


def core_of(backbone: Backbone, samples: Samples) -> Core:
    """Means by group and class, and the covariance within them."""
    name = backbone.card.features
    pairs = zip(samples.inputs[name], samples.inputs[name + MASK], strict=True)
    vectors = np.stack([backbone.vector_of(row, mask) for row, mask in pairs])
    names = sorted(set(samples.domain.tolist()))
    group = np.array([names.index(one) for one in samples.domain]) % min(GROUPS, len(names))
    mean = np.full((int(group.max()) + 1, len(samples.classes), vectors.shape[1]), np.nan)
    left = vectors.copy()
    for one in np.unique(group):
        for label in np.unique(samples.label):
            rows = (group == one) & (samples.label == label)
            if rows.any():
                mean[one, label] = vectors[rows].mean(axis=0)
                left[rows] -= mean[one, label]
    return Core(mean.astype(np.float32), (left.T @ left / len(left)).astype(np.float32))
