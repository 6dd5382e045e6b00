"""Prototypes: the nearest class mean of the room's labelled rows, every feature by its own scale.

After Snell, Swersky, Zemel, "Prototypical Networks", NIPS 2017, on fixed vectors.
"""

import numpy as np

from models.adapt.base import Adapter, Setting, Share, unseen
from models.adapt.head import RoomHead
from models.adapt.instant.head_refit import within_classes
from models.adapt.instant.lda import centres_of, head_of, shown

_LEAST = 1e-6


class Prototype(Adapter):
    """Class means, and how far rows lie from them on the whole."""

    NAME = "prototype"
    TITLE = "nearest class mean (Snell et al. 2017)"
    TIER = "instant"
    NEEDS = ("support",)

    def adapt(self, setting: Setting, seed: int, *, progress: Share = unseen) -> RoomHead:
        """See `Adapter.adapt`; nothing in it is random."""
        del seed, progress
        support = setting.needed_support()
        present = shown(support.label)
        spread = within_classes(setting.source if len(setting.source) else support).std(axis=0) + _LEAST
        mean = support.values.mean(axis=0)
        centres = centres_of((support.values - mean) / spread, support.label, present)
        # Features are many and alike: together they say little more than a few of them.
        within = np.eye(len(spread)) * max(len(spread) / 4, 1.0)
        return head_of(setting.classes, present, centres, within, (mean, spread))
