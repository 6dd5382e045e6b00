"""Counts share what they teach: class means of the room lie on a smooth curve of the count.

A handful of rows tells the mean of a class badly; all rows together tell a curve of few terms well. The part
of each mean that the curve leaves is believed by as much as its rows are many. Nobody at all is a case of its
own.
"""

import numpy as np

from models.adapt.base import Adapter, Floats, Setting, Share, unseen
from models.adapt.head import RoomHead
from models.adapt.instant.head_refit import within_classes
from models.adapt.instant.lda import centres_of, head_of, shown, shrunk

ROWS_WORTH = 30.0
"""As many rows of the room weigh as much as all old rooms in the covariance, and as the curve in a mean."""
TERMS = 4
_LEAST = 1e-6


class OrdinalRefit(Adapter):
    """A head in closed form whose class means are drawn to a curve of the count."""

    NAME = "ordinal_refit"
    TITLE = "head in closed form, class means drawn to a smooth curve of the count"
    TIER = "instant"
    NEEDS = ("support",)

    def adapt(self, setting: Setting, seed: int, *, progress: Share = unseen) -> RoomHead:
        """See `Adapter.adapt`; nothing in it is random. Classes without an order have means of their own."""
        del seed, progress
        support, source = setting.needed_support(), setting.source
        present = shown(support.label)
        scale = (source if len(source) else support).values.std(axis=0) + _LEAST
        mean = support.values.mean(axis=0)
        near = (support.values - mean) / scale
        centres = centres_of(near, support.label, present)
        ours = within_classes(support) / scale
        within = ours.T @ ours / len(ours)
        if len(source):
            share = len(ours) / (len(ours) + ROWS_WORTH)
            theirs = within_classes(source) / scale
            within = share * within + (1 - share) * theirs.T @ theirs / len(theirs)
        if not setting.ordered or len(present) <= TERMS:
            return head_of(setting.classes, present, centres, shrunk(within), (mean, scale))
        curve = _curve(near, support.label, setting.classes)
        count = np.bincount(support.label, minlength=setting.classes)[present][:, None]
        own = count / (count + ROWS_WORTH)
        every = np.arange(setting.classes)
        drawn = curve.copy()
        drawn[present] = own * centres + (1 - own) * curve[present]
        within_reach = (every >= present.min()) & (
            every <= present.max()
        )  # a curve says nothing beyond its ends
        kept = every[within_reach]
        return head_of(setting.classes, kept, drawn[kept], shrunk(within), (mean, scale))


def _curve(values: Floats, label: np.ndarray, classes: int) -> Floats:
    """Means of all classes as the curve has them ``[class, feature]``, least squares over rows."""
    every = np.arange(classes)
    grown = np.log1p(every) / np.log1p(max(classes - 1, 1))
    design = np.stack([np.ones(classes), grown, every == 0, grown**2], axis=1)[:, :TERMS].astype(np.float64)
    terms, *_ = np.linalg.lstsq(design[label], values, rcond=None)
    return np.asarray(design @ terms, np.float64)
