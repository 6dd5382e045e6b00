"""Counts share what they teach: class means of the room lie on a smooth curve of the count.

A handful of rows tells the mean of a class badly; all rows together tell a curve of few terms well. By how
much means are drawn to the curve the rows themselves tell: by as much as chance, and not the room, puts them
beside it (empirical Bayes, James and Stein, 1961). Nobody at all is a case of its own. Counts between those
that were shown are told too: the curve says where they lie.
"""

import numpy as np
import numpy.typing as npt

from models.adapt.base import Adapter, Floats, Labels, Setting, Share, unseen
from models.adapt.head import RoomHead
from models.adapt.instant.lda import NEVER, shown
from models.adapt.instant.spread import Whitening, means, of_few, whitening

TERMS = 4
TEMPERATURE = 2.0
"""Neighbouring numbers of a vector are far from independent (chosen in RoomA, as the rest)."""
_LEAST = 1e-6


class OrdinalRefit(Adapter):
    """A head in closed form whose class means are drawn to a curve of the count."""

    NAME = "ordinal_refit"
    TITLE = "head in closed form, class means drawn to a smooth curve of the count (James and Stein 1961)"
    TIER = "instant"
    NEEDS = ("support",)

    def adapt(self, setting: Setting, seed: int, *, progress: Share = unseen) -> RoomHead:
        """See `Adapter.adapt`; nothing in it is random. Classes without an order have means of their own."""
        del seed, progress
        support = setting.needed_support()
        present = shown(support.label)
        white = whitening(setting)
        rows = white(support.values)
        centres = means(rows, support.label, present)
        if setting.ordered and len(present) > TERMS:
            count = np.bincount(support.label)[present]
            curve = _curve(rows, support.label, setting.classes)
            trust = _trust(centres - curve[present], count, _chance(setting, white, count))
            curve[present] += trust[:, None] * (centres - curve[present])
            present = np.arange(present.min(), present.max() + 1)  # a curve says nothing beyond its ends
            centres = curve[present]
        weight, bias = np.zeros((len(white.mean), setting.classes)), np.full(setting.classes, NEVER)
        weight[:, present] = white.matrix @ centres.T
        bias[present] = -0.5 * (centres**2).sum(axis=1)
        return RoomHead.of("softmax", (white.mean, white.scale), (weight, bias), temperature=TEMPERATURE)


def _curve(values: Floats, label: Labels, classes: int) -> Floats:
    """Means of all classes as the curve has them ``[class, feature]``, least squares over rows."""
    every = np.arange(classes)
    grown = np.log1p(every) / np.log1p(max(classes - 1, 1))
    design = np.stack([np.ones(classes), grown, every == 0, grown**2], axis=1)[:, :TERMS].astype(np.float64)
    terms, *_ = np.linalg.lstsq(design[label], values, rcond=None)
    return np.asarray(design @ terms, np.float64)


def _chance(setting: Setting, white: Whitening, count: npt.NDArray[np.int64]) -> float:
    """Squared distance a direction that the mean of one row has by chance; of rows that share frames more."""
    few = max(round(float(count.mean())), 1)
    if len(setting.source):
        return of_few(setting.source, white(setting.source.values), few) * few
    support = setting.needed_support()
    if not setting.length_s:
        return 1.0
    apart = {
        (name, int(begin // setting.length_s))
        for name, begin in zip(support.session, support.start_s, strict=True)
    }
    return max(len(support) / len(apart), 1.0)


def _trust(apart: Floats, count: npt.NDArray[np.int64], chance: float) -> Floats:
    """Share of each distance from the curve ``[class, direction]`` that is the room's doing, ``[class]``."""
    free = len(apart) / (len(apart) - TERMS)
    excess = max(float((apart**2).mean()) * free - chance / float(count.mean()), _LEAST)
    return np.asarray(excess / (excess + chance / count), np.float64)
