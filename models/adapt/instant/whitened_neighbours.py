"""The nearest labelled rows, where what differs within a class counts for little.

A channel has states (a door, a chair, somebody next door): rows of one place form several clouds, and their
mean lies in none. Neighbours do not mind. What differs within a class is learned in old rooms and here, and
divided out (WCCN: Hatch, Kajarekar, Stolcke, Interspeech 2006).
"""

import numpy as np

from models.adapt.base import Adapter, Floats, Setting, Share, unseen
from models.adapt.head import MOST_BYTES, NEAREST, RoomHead
from models.adapt.instant.spread import Whitening, whitening
from models.errors import SelectionError

TEMPERATURES = np.geomspace(0.5, 64.0, 22)
USUAL = 8.0
"""Temperature where no row can be left out."""
_SPARE = 4096
_FAR = 1e6
_LEAST = 1e-6


class WhitenedNeighbours(Adapter):
    """Neighbours after whitening."""

    NAME = "whitened_neighbours"
    TITLE = "nearest labelled rows after within-class covariance normalisation (Hatch 2006)"
    TIER = "instant"
    NEEDS = ("source", "support")

    def adapt(self, setting: Setting, seed: int, *, progress: Share = unseen) -> RoomHead:
        """See `Adapter.adapt`; nothing in it is random."""
        del seed, progress
        support = setting.needed_support()
        if len(np.unique(support.label)) < 2:
            raise SelectionError("the labelled rows show one class; neighbours need two or more")
        white = whitening(setting)
        matrix = _small(white, support.values)
        bank = (support.values - white.mean) / white.scale @ matrix
        label, temperature = support.label, _temperature(bank, support.label)
        if label.max() < setting.classes - 1:  # a head has as many classes as its labels say: one far away
            bank = np.concatenate([bank, np.full((1, bank.shape[1]), np.sqrt(_FAR / bank.shape[1]))])
            label = np.append(label, setting.classes - 1)
        side = (matrix, np.zeros(matrix.shape[1]))
        standard = (white.mean, white.scale)
        return RoomHead.of("neighbours", standard, (bank, label), side=side, mix=0.0, temperature=temperature)


def _small(white: Whitening, values: Floats) -> Floats:
    """The whitening; where a head would be too large, only directions in which labelled rows differ most."""
    room = MOST_BYTES // 4 - _SPARE - 2 * len(white.mean)
    most = room // (len(white.mean) + len(values) + 1)
    if most >= white.matrix.shape[1]:
        return white.matrix
    if most < 1:
        raise SelectionError(
            f"{len(values)} labelled rows are too many to keep as neighbours; take two_covariance"
        )
    rows = white(values)
    _, directions = np.linalg.eigh(rows.T @ rows)
    return np.asarray(white.matrix @ directions[:, ::-1][:, :most], np.float64)


def _temperature(bank: Floats, label: np.ndarray) -> float:
    """Of least log loss on labelled rows that are left out one by one."""
    square = ((bank**2).sum(axis=1)[:, None] + (bank**2).sum(axis=1)) - 2 * bank @ bank.T
    np.fill_diagonal(square, np.inf)
    classes, own = np.unique(label, return_inverse=True)
    if np.bincount(own).min() < 2:
        return USUAL
    count = [min(NEAREST, int((own == one).sum()) - 1) for one in range(len(classes))]
    near = np.stack(
        [np.sort(square[:, own == one], axis=1)[:, : count[one]].mean(axis=1) for one in range(len(classes))]
    )
    logits = near.min(axis=0) - near

    def loss(temperature: float) -> float:
        powers = np.exp(logits / temperature)
        right = powers[own, np.arange(len(own))] / powers.sum(axis=0)
        return float(-np.log(right + _LEAST).mean())

    return float(np.float32(min(TEMPERATURES, key=loss)))
