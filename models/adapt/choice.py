"""The rule by which one method is kept of many: the best on held-out labelled rows, or a simpler one as good.

1. Labelled rows are parted (`parts_of`): recordings left out in turn where every class has two or more; else
   `PARTS` stretches of each class in turn, and what shares frames with a stretch is not learned from. Of
   fewer rows fewer parts. Questions will come from the days and persons (`Rows.domain`) that were labelled: a
   row is only asked where rows of its class and domain are left to learn from. Where nothing can be asked,
   as with a single row of each, the first of `UNTRIED` is kept.
2. Candidates are tried in the order given, simplest first, while there is time. A slow one is given up after
   the first part if its loss there is more than `HOPELESS` over the best one's.
3. Answers get the temperature of least log loss. Losses are means over cells, one a class and part. The
   least loss wins; what loses at most `TIE` more is as good, and of those the first is kept.
4. Its temperature is corrected by the root of what suited held-out answers: it learns from more rows in the
   end, and decisions are means over windows.

Parts and root were chosen in RoomA and in simulated rooms, `UNTRIED` among pairs of days of device_loc and
persons of har_two_rooms' meeting room, each as the room in turn; `TIE` on these and on parts of wical and dfl
that no figure is judged on (ADR 12).
"""

import time
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from models.adapt.base import Floats, Rows, Share, unseen
from models.adapt.evidence import Folds, Mask, folds_of
from models.adapt.gate import best_heat, heated
from models.errors import SelectionError

PARTS = 4
HOPELESS = 0.1
TIE = 0.01
"""Nats."""
UNTRIED = ("opinion_2", "two_covariance", "head_refit", "pooled")
_LEAST = 1e-3
_ROUNDING = 1e-9
_SLACK = 1e-6

Answer = Callable[[Mask, Mask], Floats]
"""Labelled rows to learn from, labelled rows to answer -> probabilities ``[answered row, class]``."""


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """What was kept, and why.

    Attributes:
        name: of the candidate.
        heat: by what its temperature is to be multiplied.
        losses: mean held-out log loss of every candidate that was tried to the end.
        left_out: why others were not.
    """

    name: str
    heat: float
    losses: Mapping[str, float] = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """Labelled rows and how they are parted."""

    rows: Rows
    parts: Folds
    classes: int

    def loss(self, found: Floats, part: int | None = None) -> float:
        """Mean log loss of all cells, or of those of one part; `found` is ``[part, row, class]``."""
        losses = []
        for number, (_, asked) in enumerate(self.parts.pairs):
            for one in np.unique(self.rows.label[asked]) if part in {None, number} else ():
                told = found[number, asked & (self.rows.label == one), one]
                losses.append(-np.log(np.maximum(told, _LEAST)).mean())
        return float(np.mean(losses))

    def heat(self, found: Floats) -> float:
        """Temperature of least log loss of all answers; a row may be asked once, often or never."""
        asked: Mask = np.asarray(np.isfinite(found).all(axis=2))
        times = asked.sum(axis=0)
        mean = np.full(found.shape[1:], np.nan)
        mean[times > 0] = np.where(asked[..., None], found, 0).sum(axis=0)[times > 0]
        mean[times > 0] /= times[times > 0, None]
        names = [str(one) for one in range(self.classes)]
        return best_heat(mean, self.rows, names, ordinal=False)


def choose(
    candidates: Mapping[str, Answer],
    rows: Rows,
    classes: int,
    *,
    length_s: float = 0.0,
    slow: Container[str] = (),
    budget_s: float = float("inf"),
    progress: Share = unseen,
    clock: Callable[[], float] = time.monotonic,
) -> Choice:
    """The candidate that is kept by the rule of this module.

    Args:
        candidates: what answers, by name and in order.
        rows: labelled ones; their values are not looked at.
        classes: how many there are.
        length_s: of a window.
        slow: names of candidates that are given up after the first part when they are far behind.
        budget_s: no further candidate is begun after so many seconds of `clock`.
        progress: told the share of candidates that were tried.
        clock: what time is read from.

    Raises:
        SelectionError: no candidate could answer.
    """
    parts = parts_of(rows, length_s)
    if parts is None:
        return Choice(next((name for name in UNTRIED if name in candidates), next(iter(candidates))), 1.0)
    trial, until = Trial(rows, parts, classes), clock() + budget_s
    losses, heats, left_out, least = dict[str, float](), dict[str, float](), dict[str, str](), float("inf")
    for number, (name, answer) in enumerate(candidates.items()):
        progress(number / len(candidates))
        if losses and clock() > until:
            left_out[name] = "no time was left"
            continue
        try:
            found = _answers(answer, trial, least + HOPELESS if name in slow else float("inf"))
        except SelectionError as error:
            left_out[name] = str(error)
            continue
        if found is None:
            left_out[name] = "far behind after the first part"
            continue
        heats[name] = trial.heat(found)
        told = np.stack([heated(one, heats[name], ordinal=False) for one in found])
        losses[name] = trial.loss(told)
        least = min(least, trial.loss(told, 0))
    if not losses:
        raise SelectionError(f"no method can learn from these rows: {left_out}")
    name = kept_of(losses)
    return Choice(name, float(np.sqrt(heats[name])), losses, left_out)


def kept_of(losses: Mapping[str, float]) -> str:
    """The first candidate that is as good as the best, from mean held-out losses in order."""
    most = min(losses.values()) + TIE + _ROUNDING
    return next(name for name, loss in losses.items() if loss <= most)


def parts_of(rows: Rows, length_s: float) -> Folds | None:
    """What is learned from and what is answered, in turn; None where nothing can be held out."""
    present = np.unique(rows.label)
    if len(present) < 2:
        return None
    if all(len(np.unique(rows.session[rows.label == one])) > 1 for one in present):
        folds = folds_of(rows, [str(one) for one in range(int(present.max()) + 1)], length_s)
        if pairs := _taught(rows, folds.pairs):
            return replace(folds, pairs=pairs)
    for count in range(PARTS, 1, -1):
        if pairs := _taught(rows, [_left_out(rows, count, part, length_s) for part in range(count)]):
            return Folds(pairs, provisional=True)
    return None


def _taught(rows: Rows, pairs: Sequence[tuple[Mask, Mask]]) -> list[tuple[Mask, Mask]]:
    """Pairs that ask of each domain what it was taught; none if one of them lacks a class or asks nothing."""
    _, group = np.unique(np.stack([rows.domain, rows.label.astype(str)]), axis=1, return_inverse=True)
    group, present = group.ravel(), np.unique(rows.label)
    found = [(known, asked & np.isin(group, group[known])) for known, asked in pairs]
    fair = all(asked.any() and np.isin(present, rows.label[known]).all() for known, asked in found)
    return found if fair else []


def _left_out(rows: Rows, count: int, part: int, length_s: float) -> tuple[Mask, Mask]:
    """One of `count` stretches of each class; and what shares no frame with it."""
    known, asked = np.zeros(len(rows), np.bool_), np.zeros(len(rows), np.bool_)
    for one in np.unique(rows.label):
        mine = np.flatnonzero(rows.label == one)
        mine = mine[np.lexsort((rows.start_s[mine], rows.session[mine]))]
        place = np.arange(len(mine)) * count // len(mine)
        out = mine[place == part]
        known[mine[~_touches(rows, mine, out, length_s)]] = True
        asked[out] = True
    return known & ~asked, asked


def _touches(rows: Rows, mine: npt.NDArray[np.intp], out: npt.NDArray[np.intp], length_s: float) -> Mask:
    """Whether rows share frames with any that is left out."""
    if not len(out):
        return np.zeros(len(mine), np.bool_)
    near = np.abs(rows.start_s[mine][:, None] - rows.start_s[out]) < length_s - _SLACK
    return np.asarray((near & (rows.session[mine][:, None] == rows.session[out])).any(axis=1))


def _answers(answer: Answer, trial: Trial, most: float) -> Floats | None:
    """Answers ``[part, row, class]``, NaN of rows not asked; None if the loss of the first is over `most`.

    Raises:
        SelectionError: it answered no probabilities.
    """
    found = np.full((len(trial.parts.pairs), len(trial.rows), trial.classes), np.nan)
    for number, (known, asked) in enumerate(trial.parts.pairs):
        told = answer(known, asked)
        if not np.isfinite(told).all():
            raise SelectionError("it answered no probabilities")
        found[number, asked] = told
        if number == 0:
            heat = trial.heat(found[:1])
            if trial.loss(heated(found[0], heat, ordinal=False)[None], 0) > most:
                return None
    return found
