"""Per-room standardisation: old rooms each by their mean and scale, the new room by its own; no labels.

Where the old rooms know no class of the new one, its labelled rows say where classes lie.
"""

import numpy as np

from models.adapt.base import Adapter, Floats, Rows, Setting, Share, unseen
from models.adapt.head import RoomHead
from models.adapt.instant.head_refit import within_classes
from models.adapt.instant.lda import centres_of, head_of, shown, shrunk, taught

_LEAST = 1e-6


class Standardise(Adapter):
    """The head of old rooms on vectors that every room standardises for itself."""

    NAME = "standardise"
    TITLE = "per-room standardisation; it supposes that rooms hold classes in like shares"
    TIER = "instant"
    NEEDS = ("source", "unlabelled")

    def adapt(self, setting: Setting, seed: int, *, progress: Share = unseen) -> RoomHead:
        """See `Adapter.adapt`; nothing in it is random."""
        del seed, progress
        seen, rows, support = setting.needed_target(), own_scale(setting.source), setting.support
        standard = seen.mean(axis=0), seen.std(axis=0) + _LEAST
        mine = None if support is None else (support.values - standard[0]) / standard[1]
        values, label = taught(rows.values, rows, mine, support)
        present = shown(label)
        left = within_classes(rows)
        within = shrunk(left.T @ left / len(left))
        return head_of(setting.classes, present, centres_of(values, label, present), within, standard)


def own_scale(rows: Rows) -> Rows:
    """Every domain by its own mean and scale."""
    values: Floats = np.empty_like(rows.values)
    for one in np.unique(rows.domain):
        mine = rows.domain == one
        held = rows.values[mine]
        values[mine] = (held - held.mean(axis=0)) / (held.std(axis=0) + _LEAST)
    return Rows(values, rows.label, rows.domain, rows.session, rows.start_s)
