"""Prototypes in a metric that old rooms taught: directions in which classes differ, and rows of one do not.

Reduced-rank discriminant analysis (Fisher 1936; Hastie and Tibshirani, JRSS B 1996) with the directions
learned in old rooms, each from its own centre, and in the new one; where classes lie along them the new room
says alone.
"""

import numpy as np

from models.adapt.base import Adapter, Floats, Rows, Setting, Share, unseen
from models.adapt.head import RoomHead
from models.adapt.instant.head_refit import within_classes
from models.adapt.instant.lda import NEVER, centres_of, shown, shrunk
from models.errors import SelectionError

ROWS_WORTH = 30.0
"""As many rows of the room weigh as much as all old rooms in the metric."""
_LEAST = 1e-6


class MetricHead(Adapter):
    """The nearest class mean of the room along discriminant directions."""

    NAME = "metric_head"
    TITLE = "nearest class mean along discriminant directions of old rooms and this one (Hastie 1996)"
    TIER = "instant"
    NEEDS = ("source", "support")

    def adapt(self, setting: Setting, seed: int, *, progress: Share = unseen) -> RoomHead:
        """See `Adapter.adapt`; nothing in it is random."""
        del seed, progress
        support, source = setting.needed_support(), setting.source
        if not len(source):
            raise SelectionError("a metric is learned in old rooms, and there is no row of any")
        present = shown(support.label)
        mean, scale = support.values.mean(axis=0), source.values.std(axis=0) + _LEAST
        centres = centres_of((support.values - mean) / scale, support.label, present)
        share = len(support) / (len(support) + ROWS_WORTH)
        parts = [_moments(rows, scale) for rows in (support, source)]
        within, between = (share * ours + (1 - share) * theirs for ours, theirs in zip(*parts, strict=True))
        axes = _axes(shrunk(within), between, max(setting.classes - 1, 1))
        seen = centres @ axes
        weight, bias = np.zeros((len(scale), setting.classes)), np.full(setting.classes, NEVER)
        weight[:, present] = axes @ seen.T
        bias[present] = -0.5 * (seen**2).sum(axis=1)
        return RoomHead.of("softmax", (mean, scale), (weight, bias))


def _moments(rows: Rows, scale: Floats) -> tuple[Floats, Floats]:
    """Covariance within classes, and of class means in their room, ``[feature, feature]`` each."""
    left = within_classes(rows) / scale
    means = rows.values / scale - left
    for room in np.unique(rows.domain):
        means[rows.domain == room] -= means[rows.domain == room].mean(axis=0)
    return left.T @ left / len(left), means.T @ means / len(means)


def _axes(within: Floats, between: Floats, most: int) -> Floats:
    """Directions where `between` is largest and `within` is 1, at most so many ``[feature, direction]``."""
    values, vectors = np.linalg.eigh(within)
    white = vectors / np.sqrt(values)
    _, turned = np.linalg.eigh(white.T @ between @ white)
    return np.asarray(white @ turned[:, ::-1][:, :most])
