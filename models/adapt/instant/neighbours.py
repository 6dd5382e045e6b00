"""The nearest labelled rows of the room, every feature by its own scale (Fix and Hodges, 1951).

The plainest method that makes no picture of a class: what every other one must beat where rows of a class
form several clouds. No old room is needed.
"""

import numpy as np

from models.adapt.base import Adapter, Rows, Setting, Share, unseen
from models.adapt.head import MOST_BYTES, RoomHead
from models.adapt.instant.lda import shown

_LEAST = 1e-6
_FAR = 1e3


class Neighbours(Adapter):
    """Labelled rows are the head."""

    NAME = "neighbours"
    TITLE = "nearest labelled rows of the room"
    TIER = "instant"
    NEEDS = ("support",)

    def adapt(self, setting: Setting, seed: int, *, progress: Share = unseen) -> RoomHead:
        """See `Adapter.adapt`; nothing in it is random.

        The temperature grows with the number of features: their noise does not cancel, it adds up.
        """
        del seed, progress
        support = setting.needed_support()
        shown(support.label)
        known = setting.source if len(setting.source) else support
        mean, scale = support.values.mean(axis=0), known.values.std(axis=0) + _LEAST
        kept = _thinned(support)
        bank, label = (kept.values - mean) / scale, kept.label
        if label.max() < setting.classes - 1:  # a head has as many classes as its labels say: one far away
            bank = np.concatenate([bank, np.full((1, bank.shape[1]), _FAR)])
            label = np.append(label, setting.classes - 1)
        width = float(np.float32(np.sqrt(bank.shape[1])))  # as it is stored
        return RoomHead.of("neighbours", (mean, scale), (bank, label), temperature=width)


def _thinned(support: Rows) -> Rows:
    """Every so many-th row of each class, so that a head holds them."""
    width = support.values.shape[1]
    most = (MOST_BYTES // 4 - 4 * width) // (width + 1)
    step = -(-len(support) // max(most, 1))
    order = np.lexsort((support.start_s, support.label))
    return support.take(np.sort(order[::step]))
