"""A linear head from class means and one covariance, wherever these come from."""

import numpy as np
import numpy.typing as npt

from models.adapt.base import Floats, Labels, Rows
from models.adapt.head import RoomHead
from models.errors import SelectionError

NEVER = -1e4
"""Bias of a class that nobody showed."""
SHRUNK = 0.3
"""Share of a covariance that is drawn to its diagonal."""
RIDGE = 0.02


def shrunk(covariance: Floats) -> Floats:
    """The covariance drawn to its diagonal, with a ridge: it can be inverted however few rows made it."""
    size = max(float(np.trace(covariance)) / len(covariance), 1e-9)
    diagonal = np.diag(np.diag(covariance))
    return np.asarray((1 - SHRUNK) * covariance + SHRUNK * diagonal + RIDGE * size * np.eye(len(covariance)))


def head_of(
    classes: int,
    present: npt.NDArray[np.int64],
    centres: Floats,
    within: Floats,
    standard: tuple[Floats, Floats],
) -> RoomHead:
    """Equal covariance, equal shares of classes: a linear head on standardised vectors.

    Args:
        classes: how many there are.
        present: those that `centres` are of.
        centres: means ``[present, feature]``, standardised.
        within: covariance within classes, standardised.
        standard: mean and scale.
    """
    turned = np.linalg.solve(within, centres.T)
    weight = np.zeros((centres.shape[1], classes))
    bias = np.full(classes, NEVER)
    weight[:, present] = turned
    bias[present] = -0.5 * np.einsum("cf,fc->c", centres, turned)
    return RoomHead.of("softmax", standard, (weight, bias))


def taught(old: Floats, source: Rows, new: Floats | None, support: Rows | None) -> tuple[Floats, Labels]:
    """Vectors and labels that class means are of: old rooms', or the room's own where those know none of it.

    Args:
        old: source vectors, aligned ``[row, feature]``.
        source: whose they are.
        new: support vectors, aligned likewise ``[row, feature]``.
        support: whose they are.
    """
    native = len(np.unique(source.label[source.label >= 0])) > 1
    if native or new is None or support is None:
        return old, source.label
    return new, support.label


def shown(label: Labels) -> npt.NDArray[np.int64]:
    """Classes that labelled rows show; rows of classes that the room does not have count for nothing.

    Raises:
        SelectionError: one class, or none.
    """
    present = np.unique(label[label >= 0])
    if len(present) < 2:
        raise SelectionError("the labelled rows show one class; a head needs two or more")
    return present


def centres_of(values: Floats, label: Labels, present: npt.NDArray[np.int64]) -> Floats:
    """Mean of every class ``[present, feature]``."""
    return np.stack([values[label == one].mean(axis=0) for one in present])
