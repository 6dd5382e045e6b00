"""Per-room standardisation: old rooms each by their mean and scale, the new room by its own; no labels."""

import numpy as np

from models.adapt.base import Adapter, Floats, Rows, Setting, Share, unseen
from models.adapt.head import RoomHead
from models.adapt.instant.head_refit import within_classes
from models.adapt.instant.lda import centres_of, head_of, shown, shrunk

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
        seen = setting.needed_target()
        rows = own_scale(setting.source)
        present = shown(rows.label)
        left = within_classes(rows)
        within = shrunk(left.T @ left / len(left))
        centres = centres_of(rows.values, rows.label, present)
        return head_of(
            setting.classes, present, centres, within, (seen.mean(axis=0), seen.std(axis=0) + _LEAST)
        )


def own_scale(rows: Rows) -> Rows:
    """Every domain by its own mean and scale."""
    values: Floats = np.empty_like(rows.values)
    for one in np.unique(rows.domain):
        mine = rows.domain == one
        held = rows.values[mine]
        values[mine] = (held - held.mean(axis=0)) / (held.std(axis=0) + _LEAST)
    return Rows(values, rows.label, rows.domain, rows.session, rows.start_s)
