"""How rows of one class differ, told from old rooms and a few rows of the new one."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.adapt.base import Floats, Labels, Rows, Setting
from models.adapt.instant.head_refit import within_classes

ROWS_WORTH = 20.0
"""As many rows of the room, less one a class, weigh as much in the covariance as all old rooms."""
DIAGONAL = 0.3
"""Share of the covariance drawn to its diagonal."""
RIDGE = 0.02


@dataclass(frozen=True, slots=True, eq=False)
class Whitening:
    """Rows less `mean`, over `scale`, times `matrix`: within a class they differ by 1 in any direction."""

    mean: Floats
    scale: Floats
    matrix: Floats

    def __call__(self, values: Floats) -> Floats:
        """Whitened rows ``[row, direction]``."""
        return np.asarray((values - self.mean) / self.scale @ self.matrix, np.float64)


def whitening(setting: Setting, rows_worth: float = ROWS_WORTH) -> Whitening:
    """The whitening of the covariance within classes (WCCN: Hatch, Kajarekar, Stolcke, Interspeech 2006)."""
    support = setting.needed_support()
    every = setting.source.values if len(setting.source) else support.values
    scale = every.std(axis=0) + 1e-6
    ours, theirs = (within_classes(rows) / scale for rows in (support, setting.source))
    free = len(support) - len(np.unique(support.label))
    share = free / (free + rows_worth) if len(theirs) else 1.0
    pooled = np.zeros((len(scale),) * 2)
    for weight, left, count in ((share, ours, free), (1 - share, theirs, len(theirs))):
        pooled += weight * (left.T @ left) / max(count, 1)
    round_one = max(float(np.trace(pooled)) / len(pooled), 1e-9) * np.eye(len(pooled))
    pooled = (1 - DIAGONAL) * pooled + DIAGONAL * np.diag(np.diag(pooled)) + RIDGE * round_one
    values, vectors = np.linalg.eigh(pooled)
    return Whitening(support.values.mean(axis=0), scale, vectors / np.sqrt(values))


def means(values: Floats, label: Labels, classes: npt.NDArray[np.int64]) -> Floats:
    """Mean of every class ``[class, feature]``; each has a row or more."""
    return np.stack([values[label == one].mean(axis=0) for one in classes])


def of_few(rows: Rows, values: Floats, count: int) -> float:
    """How far the mean of `count` neighbouring rows lies from the mean of its class, squared, a direction.

    Neighbours in time are alike, so that it can be far more than 1 over `count`.
    """
    found = []
    for key in np.unique(np.stack([rows.domain, rows.label.astype(str)]), axis=1).T:
        mine = np.flatnonzero((rows.domain == key[0]) & (rows.label.astype(str) == key[1]))
        mine = mine[np.lexsort((rows.start_s[mine], rows.session[mine]))]
        blocks = [mine[at : at + count] for at in range(0, len(mine) - count + 1, count)]
        if len(blocks) > 1:
            middle = values[mine].mean(axis=0)
            found += [float(((values[one].mean(axis=0) - middle) ** 2).mean()) for one in blocks]
    return float(np.mean(found)) if found else 1 / count
