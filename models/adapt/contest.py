"""Which methods are tried on a lesson, how each does on held-out rows, and which is kept.

The rule is that of `models.adapt.choice`; here rows are held out as the gate judges them
(`models.adapt.evidence`), and the head that the backbone ships with is a candidate as well.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from models.adapt import AUTO, SHIPPED, adapter, available
from models.adapt.auto import ORDER, in_order
from models.adapt.base import Rows
from models.adapt.choice import Trial, kept_of
from models.adapt.evidence import Folds
from models.adapt.gate import Predict, Score, best_heat, heated, held_out, score
from models.adapt.head import RoomHead
from models.adapt.lesson import Lesson
from models.errors import SelectionError

Learn = Callable[[Rows], RoomHead]


@dataclass(frozen=True, slots=True, eq=False)
class Tried:
    """A candidate and how it did on held-out samples; `loss` is what the rule of `auto` compares."""

    name: str
    learn: Learn
    score: Score
    loss: float
    heat: float
    seconds: float

    def head(self, rows: Rows) -> RoomHead:
        """The head of these rows, its temperature corrected by the root of what suited held-out rows.

        It learns from more rows in the end than any that was judged (`models.adapt.choice`).
        """
        head = self.learn(rows)
        return replace(head, temperature=head.temperature * self.heat**0.5)


def methods(asked: str, *, shipped: bool, ordered: bool) -> list[str]:
    """Names of what is tried, in the order of `models.adapt.auto`: closed forms, the shipped head, the rest.

    Raises:
        SelectionError: no such method here.
    """
    if asked != AUTO:
        if asked != SHIPPED:
            adapter(asked)
        return [asked]
    needs = {"source", "support"}
    sensible = [name for name in available() if set(adapter(name).NEEDS) <= needs]
    in_turn = in_order(sensible, ordered=ordered)
    first = [name for name in in_turn if name in ORDER]
    return [*first, *([SHIPPED] if shipped else []), *in_turn[len(first) :]]


def learn_by(name: str, lesson: Lesson, seed: int = 0) -> Learn:
    """How this method makes a head from labelled rows of the room.

    Raises:
        SelectionError: it cannot be asked here.
    """
    shipped = lesson.shipped
    if name == SHIPPED:
        if shipped is None:
            raise SelectionError("this room's classes are its own: the shipped head knows others")
        return lambda _rows: shipped
    method = adapter(name)
    if "source" in method.NEEDS and not len(lesson.source):
        raise SelectionError("there are no old rooms to lean on: no model was trained on frames of this card")
    return lambda rows: method.adapt(lesson.setting(rows), seed)


def judge(
    names: Sequence[str],
    lesson: Lesson,
    folds: Folds,
    *,
    budget_s: float,
    say: Callable[[float, str], None],
) -> tuple[list[Tried], dict[str, str]]:
    """Try each on held-out samples within a time budget; also why some were left out."""
    tried, left_out = list[Tried](), dict[str, str]()
    until = time.monotonic() + budget_s
    for number, name in enumerate(names):
        say(number / len(names), name)
        if tried and time.monotonic() > until:
            left_out[name] = "no time was left"
            continue
        began = time.monotonic()
        try:
            learn = learn_by(name, lesson)
            ordinal = learn(lesson.rows).kind == "ordinal"
            found = held_out(_predictor(learn), lesson.rows, folds, len(lesson.classes))
        except (ValueError, FloatingPointError) as error:  # the first also of tensors not finite
            left_out[name] = str(error)
            continue
        heat = best_heat(found, lesson.rows, lesson.classes, ordinal=ordinal)
        told = heated(found, heat, ordinal=ordinal)
        judged = score(told, lesson.rows, lesson.classes, ordered=lesson.ordered)
        loss = Trial(lesson.rows, folds, len(lesson.classes)).loss(np.stack([told] * len(folds.pairs)))
        tried.append(Tried(name, learn, judged, loss, heat, time.monotonic() - began))
    return tried, left_out


def best_of(tried: Sequence[Tried]) -> Tried:
    """The first, which is the simplest, of those that are as good as the best (`choice.kept_of`)."""
    kept = kept_of({one.name: one.loss for one in tried})
    return next(one for one in tried if one.name == kept)


def beside(head: RoomHead, lesson: Lesson, judged: Score) -> Score | None:
    """How another head tells the rows that were judged; None where its answers mean something else."""
    found = head.predict(lesson.rows.values)
    if found.shape != judged.found.shape:
        return None
    found[np.isnan(judged.found[:, 0])] = np.nan
    return score(found, lesson.rows, lesson.classes, ordered=lesson.ordered)


def _predictor(learn: Learn) -> Callable[[Rows], Predict]:
    return lambda rows: learn(rows).predict


def blocks_of(lesson: Lesson, block_s: float) -> int:
    """Disjoint blocks of this length in all labelled rows."""
    rows = lesson.rows
    keys = zip(rows.session, np.floor(rows.start_s / block_s), strict=True)
    return len(set(keys))
