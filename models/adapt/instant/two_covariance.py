"""Class means of a room, drawn to where old rooms expect them by as much as few rows are to be doubted.

Two covariances describe a class: how its rows differ, and how far its mean moves from room to room (the
two-covariance model of Brummer and de Villiers, Odyssey 2010, a form of PLDA). The first is learned in old
rooms and here. Of the second one number is needed, its size where the first is round: the labelled rows tell
it, by how much further their means lie from the expected ones than chance would put them (James and Stein,
1961). A room that is like the old ones keeps their means; one that is not, or of which no class was ever
seen, has its own. Rows without labels refine the means by expectation and maximisation.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.adapt.base import Adapter, Floats, Labels, Rows, Setting, Share, unseen
from models.adapt.head import RoomHead
from models.adapt.instant.spread import Whitening, means, of_few, whitening
from models.errors import SelectionError

TEMPERATURES = np.geomspace(1.0, 32.0, 16)
USUAL = 4.0
"""Temperature where no row can be left out: neighbouring numbers of a vector are far from independent."""
ROUNDS = 8
GUESSED_WORTH = 2.0
"""All rows of a class that is guessed weigh at most as much as this many labelled ones."""
_NEVER = -1e4
_LEAST = 1e-6


class TwoCovariance(Adapter):
    """Posterior class means, and one covariance."""

    NAME = "two_covariance"
    TITLE = "class means between old rooms' and the room's own, by the two-covariance model (Brummer 2010)"
    TIER = "instant"
    NEEDS = ("source", "support")

    def adapt(self, setting: Setting, seed: int, *, progress: Share = unseen) -> RoomHead:
        """See `Adapter.adapt`; nothing in it is random."""
        del seed, progress
        support = setting.needed_support()
        present = np.unique(support.label)
        if len(present) < 2:
            raise SelectionError("the labelled rows show one class; a head needs two or more")
        white = whitening(setting)
        rows, label = white(support.values), np.searchsorted(present, support.label)
        model = Posterior.of(white(setting.source.values), setting.source, present, rows, label)
        temperature = model.temperature(rows, label)
        centres = model.centres(model.seen, model.count)
        if setting.unlabelled is not None:
            centres = model.refined(white(setting.unlabelled), centres, temperature)
        return _head(setting.classes, present, white, centres, temperature)


@dataclass(frozen=True, slots=True, eq=False)
class Posterior:
    """What is expected of class means, and what was seen of them; all whitened.

    Attributes:
        expected: ``[class, direction]``, less what all share; 0 where unknown.
        seen: means of the labelled rows ``[class, direction]``, of `count` rows each.
        chance: squared distance a direction that the mean of one row has by chance.
        moved: how far, squared, a class moves from old rooms to this one.
        native: whether any of the classes is known.
    """

    expected: Floats
    seen: Floats
    count: Floats
    chance: float
    moved: float
    native: bool

    @classmethod
    def of(cls, old: Floats, source: Rows, present: Labels, rows: Floats, label: Labels) -> "Posterior":
        """From whitened source rows, and labelled rows numbered among the classes `present`."""
        expected, native = expectation(old, source, present)
        numbers = np.arange(len(present))
        seen, count = means(rows, label, numbers), np.bincount(label).astype(np.float64)
        few = max(round(count.mean()), 1)
        chance = of_few(source, old, few) * few
        apart = seen - expected
        apart = apart - apart.mean(axis=0)
        excess = (apart**2).mean() * len(present) / (len(present) - 1) - chance / few
        return cls(expected, seen, count, chance, max(float(excess), _LEAST), native)

    def centres(self, seen: Floats, count: Floats) -> Floats:
        """Most probable class means ``[class, direction]`` where `count` rows of each gave `seen`."""
        trust = (self.moved / (self.moved + self.chance / np.maximum(count, _LEAST)))[:, None]
        apart = seen - self.expected
        middle = (trust * apart).sum(axis=0) / trust.sum()
        return np.asarray(self.expected + middle + trust * (apart - middle), np.float64)

    def refined(self, others: Floats, centres: Floats, temperature: float) -> Floats:
        """Class means after rows without labels ``[row, direction]`` were shared among the classes."""
        for _ in range(ROUNDS):
            share = _shares(others, centres, temperature)
            found = share.T @ others / np.maximum(share.sum(axis=0), _LEAST)[:, None]
            worth = np.minimum(share.sum(axis=0), GUESSED_WORTH)
            total = self.count + worth
            seen = (self.seen * self.count[:, None] + found * worth[:, None]) / total[:, None]
            centres = self.centres(seen, total)
        return centres

    def temperature(self, rows: Floats, label: Labels) -> float:
        """Of least log loss on labelled rows that are left out one by one."""
        losses, tried = np.zeros(len(TEMPERATURES)), 0
        for row, own in zip(rows, label, strict=True):
            if self.count[own] < 2 and not self.native:
                continue
            left, seen = self.count.copy(), self.seen.copy()
            left[own] -= 1
            seen[own] = (self.seen[own] * self.count[own] - row) / max(left[own], 1)
            centres = self.centres(seen, left)
            losses += [-np.log(_shares(row[None], centres, one)[0, own] + _LEAST) for one in TEMPERATURES]
            tried += 1
        return float(np.float32(TEMPERATURES[int(losses.argmin())])) if tried else USUAL


def expectation(old: Floats, source: Rows, present: Labels) -> tuple[Floats, bool]:
    """Mean over old rooms of class means less their room's ``[class, direction]``; 0 of unknown classes."""
    known = np.isin(source.label, present)
    total, rooms = np.zeros((len(present), old.shape[1])), np.zeros(len(present))
    for room in np.unique(source.domain[known]):
        mine = known & (source.domain == room)
        there = np.searchsorted(present, np.unique(source.label[mine]))
        if len(there) < 2:
            continue
        found = means(old[mine], source.label[mine], present[there])
        total[there] += found - found.mean(axis=0)
        rooms[there] += 1
    return total / np.maximum(rooms, 1)[:, None], bool(rooms.any())


def _shares(rows: Floats, centres: Floats, temperature: float) -> npt.NDArray[np.float64]:
    logits = (rows @ centres.T - 0.5 * (centres**2).sum(axis=1)) / temperature
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True), np.float64)


def _head(classes: int, present: Labels, white: Whitening, centres: Floats, temperature: float) -> RoomHead:
    weight, bias = np.zeros((len(white.mean), classes)), np.full(classes, _NEVER)
    weight[:, present] = white.matrix @ centres.T
    bias[present] = -0.5 * (centres**2).sum(axis=1)
    return RoomHead.of("softmax", (white.mean, white.scale), (weight, bias), temperature=temperature)
