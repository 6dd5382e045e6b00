"""A linear head in closed form: shrunk discriminant on the room's labelled rows, spread learned in old rooms.

With a handful of rows a class the room can tell where its classes lie, hardly how they spread. That spread,
the covariance within classes, changes little from room to room and is pooled from old rooms and the new one
(regularised discriminant analysis, Friedman, JASA 1989, with the source as its prior).
"""

import numpy as np

from models.adapt.base import Adapter, Floats, Rows, Setting, Share, unseen
from models.adapt.head import RoomHead
from models.errors import SelectionError

ROWS_WORTH = 30.0
"""As many rows of the room weigh as much as all of the source in the covariance."""
RIDGE = 0.1


class HeadRefit(Adapter):
    """Class means of the room, covariance of all."""

    NAME = "head_refit"
    TITLE = "head in closed form on labelled rows, covariance shared with old rooms (Friedman 1989)"
    TIER = "instant"
    NEEDS = ("support",)

    def adapt(self, setting: Setting, seed: int, *, progress: Share = unseen) -> RoomHead:
        """See `Adapter.adapt`; nothing in it is random."""
        del seed, progress
        support = setting.needed_support()
        present = np.unique(support.label)
        if len(present) < 2:
            raise SelectionError("the labelled rows show one class; a head needs two or more")
        known = setting.source.values if len(setting.source) else support.values
        mean, scale = support.values.mean(axis=0), known.std(axis=0) + 1e-6
        near = (support.values - mean) / scale
        centres = np.stack([near[support.label == one].mean(axis=0) for one in present])
        within = _spread(near - centres[np.searchsorted(present, support.label)], setting, scale)
        turned = np.linalg.solve(within, centres.T)
        weight = np.zeros((near.shape[1], setting.classes))
        bias = np.full(setting.classes, -1e4)
        weight[:, present] = turned
        bias[present] = -0.5 * np.einsum("cf,fc->c", centres, turned)
        return RoomHead.of("softmax", (mean, scale), (weight, bias))


def _spread(left: Floats, setting: Setting, scale: Floats) -> Floats:
    """Covariance within classes of the room and of the source, and a ridge."""
    share = len(left) / (len(left) + ROWS_WORTH)
    ours = left.T @ left / max(len(left), 1)
    if len(setting.source):
        source = within_classes(setting.source) / scale
        theirs = source.T @ source / len(source)
    else:  # no old rooms: their place takes the room's own spread without what features share
        theirs = np.diag(np.diag(ours))
    pooled = share * ours + (1 - share) * theirs
    return np.asarray(pooled + RIDGE * np.eye(len(pooled)) * np.trace(pooled) / len(pooled))


def within_classes(rows: Rows) -> Floats:
    """Rows less the mean of their class and domain ``[row, feature]``."""
    _, group = np.unique(np.stack([rows.domain, rows.label.astype(str)]), axis=1, return_inverse=True)
    group = group.ravel()
    total = np.zeros((int(group.max(initial=-1)) + 1, rows.values.shape[1]))
    np.add.at(total, group, rows.values)
    return np.asarray(rows.values - (total / np.bincount(group)[:, None])[group])
