"""Whether a room's own head is any better than what the room has, on rows it did not learn from (DESIGN B6).

numpy alone; how rows are held out is in `models.adapt.evidence`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.adapt.base import Floats, Rows
from models.adapt.evidence import Folds, GateRefusal
from models.adapt.head import card_logits
from models.tasks.decode import probabilities
from models.tasks.ordinal import expectation, interval
from models.zoo.card import Output

MARGIN = 0.02
"""In log loss, that a candidate must be better by than what serves."""
CHANCE_MARGIN = 0.1
"""In balanced accuracy, that a candidate must be better by than chance, and at least 1.64 standard errors."""
_LEAST = 1e-3
_HEATS = tuple(float(heat) for heat in np.geomspace(0.5, 16, 31))
_WIDTHS = np.arange(0.0, 8.01, 0.1)
_RIVAL, _OWN = 0.7, 0.1
MOST_SUSPECTS = 0.2
"""Share of recordings that may contradict the others; these are left out."""

Predict = Callable[[Floats], Floats]
"""Vectors ``[row, feature]`` -> probabilities ``[row, class]``."""


@dataclass(frozen=True, slots=True, eq=False)
class Score:
    """How well held-out rows were told.

    Attributes:
        found: probabilities ``[row, class]`` of the judged rows, NaN of the others.
        log_loss: mean over classes of the mean over their rows.
    """

    found: Floats
    log_loss: float
    balanced_accuracy: float
    mae: float | None
    by_class: Mapping[str, float]

    def document(self) -> dict[str, Any]:
        """As a job tells it."""
        told: dict[str, Any] = {
            "log_loss": round(self.log_loss, 4),
            "balanced_accuracy": round(self.balanced_accuracy, 4),
            "by_class": {name: round(share, 4) for name, share in self.by_class.items()},
        }
        return told if self.mae is None else {**told, "mae": round(self.mae, 4)}


def score(found: Floats, rows: Rows, classes: Sequence[str], *, ordered: bool) -> Score:
    """How well probabilities ``[row, class]`` tell the labels; rows of NaN are left out."""
    judged = np.isfinite(found).all(axis=1)
    truth, told = rows.label[judged], found[judged]
    losses, right, off = [], {}, []
    for one in np.unique(truth):
        mine = told[truth == one]
        losses.append(float(-np.log(np.maximum(mine[:, one], _LEAST)).mean()))
        right[classes[one]] = float((mine.argmax(axis=1) == one).mean())
        off.append(float(np.abs(expectation(mine) - one).mean()))
    return Score(
        found,
        float(np.mean(losses)),
        float(np.mean(list(right.values()))),
        float(np.mean(off)) if ordered else None,
        right,
    )


def heated(found: Floats, heat: float, *, ordinal: bool) -> Floats:
    """Probabilities as a head with `heat` times the temperature would give them, ``[row, class]``."""
    output: Output = "ordinal" if ordinal else "softmax"
    told = np.full_like(found, np.nan)
    judged = np.isfinite(found).all(axis=1)
    told[judged] = probabilities(card_logits(found[judged], output, 1.0), output, heat)
    return told


def best_heat(found: Floats, rows: Rows, classes: Sequence[str], *, ordinal: bool) -> float:
    """By what a head's temperature is to be multiplied for the least log loss on held-out rows (Guo 2017)."""
    told = {
        heat: score(heated(found, heat, ordinal=ordinal), rows, classes, ordered=False).log_loss
        for heat in _HEATS
    }
    return min(told, key=lambda heat: (round(told[heat], 6), heat))


def interval_width(found: Floats, rows: Rows, coverage: float = 0.9) -> float | None:
    """The least width whose interval holds the true count in this share of held-out rows, with one to spare.

    Split conformal (Vovk et al. 2005), with the rounding of `models.tasks.ordinal.interval`; None where no
    width that was tried does.
    """
    judged = np.isfinite(found).all(axis=1)
    truth, told = rows.label[judged], found[judged]
    needed = min(int(np.ceil(coverage * (len(truth) + 1))), len(truth))
    for width in _WIDTHS:
        low, high = interval(told, float(width))
        if int(((low <= truth) & (truth <= high)).sum()) >= needed:
            return float(width)
    return None


def held_out(learn: Callable[[Rows], Predict], rows: Rows, folds: Folds, classes: int) -> Floats:
    """Probabilities of every judged row by what the rows of its fold taught; the mean where judged twice."""
    total, times = np.zeros((len(rows), classes)), np.zeros(len(rows))
    for known, asked in folds.pairs:
        total[asked] += learn(rows.take(known))(rows.values[asked])
        times[asked] += 1
    with np.errstate(invalid="ignore"):
        return np.where(times[:, None] > 0, total / times[:, None], np.nan)


def suspects(found: Floats, rows: Rows) -> list[str]:
    """Recordings whose windows, held out, all but agree on another class than their label; worst first."""
    named: list[tuple[float, str]] = []
    for one in np.unique(rows.session):
        mine = (rows.session == one) & np.isfinite(found).all(axis=1)
        if not mine.any():
            continue
        mean, label = found[mine].mean(axis=0), int(rows.label[mine][0])
        rival = float(np.delete(mean, label).max())
        if mean[label] < _OWN and rival > _RIVAL:
            named.append((float(mean[label]) - rival, str(one)))
    return [name for _, name in sorted(named)]


def out_of_order(told: Floats, rows: Rows, reach: float) -> tuple[str, str] | None:
    """Two recordings that a counter of other rooms sees the other way round, by more than `reach` people.

    Counts that were mixed up, or an "empty" room with somebody in it, fool a hold-out of the same samples; a
    counter that never saw them is not fooled, and though it is wrong by some, it knows few from many.

    Args:
        told: probabilities ``[row, class]`` of that counter.
        rows: with the labels people gave.
        reach: what it is believed to be wrong by.
    """
    people = expectation(told)
    names = np.unique(rows.session)
    mean = {one: float(people[rows.session == one].mean()) for one in names}
    label = {one: int(rows.label[rows.session == one][0]) for one in names}
    worst: tuple[float, tuple[str, str]] | None = None
    for few in names:
        for many in names:
            wrong = mean[few] - mean[many]
            if label[few] < label[many] and wrong > reach and (worst is None or wrong > worst[0]):
                worst = wrong, (str(few), str(many))
    return None if worst is None else worst[1]


def check_better(after: Score, before: Score | None, blocks: int) -> None:
    """See that a candidate is better than what serves, and than guessing.

    Args:
        after: of the candidate.
        before: of what serves, None where nothing answers.
        blocks: disjoint blocks that were judged: neighbouring windows are not independent.

    Raises:
        GateRefusal: `inconsistent_samples` or `not_better`.
    """
    chance = 1 / max(len(after.by_class), 2)
    needed = chance + max(CHANCE_MARGIN, 1.64 * float(np.sqrt(chance * (1 - chance) / max(blocks, 1))))
    if after.balanced_accuracy < needed:
        raise GateRefusal(
            "inconsistent_samples",
            f"what one part of the samples teaches tells the rest with a balanced accuracy of "
            f"{after.balanced_accuracy:.2f}; guessing gives {chance:.2f}, and {needed:.2f} is asked for. "
            "Labels may be mixed up, or nobody was where the label says: record the samples again",
        )
    if before is None:
        return
    if after.log_loss > before.log_loss - MARGIN or after.balanced_accuracy < before.balanced_accuracy:
        raise GateRefusal(
            "not_better",
            f"held out, it gets {after.balanced_accuracy:.2f} right (log loss {after.log_loss:.2f}); what "
            f"serves gets {before.balanced_accuracy:.2f} (log loss {before.log_loss:.2f}). Nothing changes",
        )
