"""Statistics that a shipped model keeps of the vectors of its training windows (`models.zoo.core`)."""

import numpy as np
import numpy.typing as npt
import onnx
from onnx import numpy_helper

from models.data.samples import MASK, Samples
from models.runtime import Backbone
from models.signal.bands import VERSION as BANDED
from models.training.lesson import vectors_of
from models.zoo import Core, ShelvedModel

GROUPS = 4
"""Domains are dealt out to so many groups: how rooms differ is kept, single rooms are not."""


def core_of(model: ShelvedModel, samples: Samples) -> Core | None:
    """Means by group and class, the covariance within them, and the shipped head out of the model's file.

    None of a file without a head input, such as that of a shallow pipeline: what stands on a core, stands on
    the shipped head. None either of rows that were not made of windows.
    """
    head = _head(model.onnx)
    if head is None or BANDED + MASK not in samples.inputs:
        return None
    backbone = Backbone(model)
    vectors = vectors_of(backbone, samples)
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
    within = (left.T @ left / len(left)).astype(np.float32)
    return Core(mean.astype(np.float32), within, *head)


def _head(data: bytes) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]] | None:
    """Default weight and bias of the head input, if there is one (docs/onnx-contract.md: it is optional)."""
    held = {one.name: one for one in onnx.load_model_from_string(data).graph.initializer}
    if not {"head_weight", "head_bias"} <= set(held):
        return None
    weight, bias = (numpy_helper.to_array(held[name]) for name in ("head_weight", "head_bias"))
    return weight.astype(np.float32), bias.astype(np.float32)
