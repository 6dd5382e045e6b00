"""Which methods a job tries, and which of them it keeps."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from models.adapt import AUTO, SHIPPED, adapter, available
from models.adapt.auto import in_order
from models.adapt.base import Rows
from models.adapt.evidence import Folds
from models.adapt.gate import Predict, Score, best_heat, heated, held_out, score
from models.adapt.head import RoomHead
from models.errors import SelectionError
from service.trainer.material import Material

TIE = 0.03
"""In log loss: candidates this near the best are as good, and the simplest of them is kept."""

Learn = Callable[[Rows], RoomHead]


@dataclass(frozen=True, slots=True, eq=False)
class Tried:
    """A candidate and how it did on held-out samples."""

    name: str
    learn: Learn
    score: Score
    heat: float
    seconds: float

    def head(self, rows: Rows) -> RoomHead:
        """The head of these rows, its temperature corrected by the root of what suited held-out rows.

        It learns from more rows in the end than any that was judged (`models.adapt.choice`).
        """
        head = self.learn(rows)
        return replace(head, temperature=head.temperature * self.heat**0.5)


def methods(asked: str, *, shipped: bool, ordered: bool) -> list[str]:
    """Names of what is tried, simplest first (`models.adapt.auto.in_order`).

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
    return [*([SHIPPED] if shipped else []), *in_turn]


def learn_by(name: str, material: Material, seed: int = 0) -> Learn:
    """How this method makes a head from labelled rows of the room.

    Raises:
        SelectionError: it cannot be asked here.
    """
    shipped = material.shipped
    if name == SHIPPED:
        if shipped is None:
            raise SelectionError("this room's classes are its own: the shipped head knows others")
        return lambda _rows: shipped
    method = adapter(name)
    return lambda rows: method.adapt(material.setting(rows), seed)


def judge(
    names: Sequence[str],
    material: Material,
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
        if name != SHIPPED and "source" in adapter(name).NEEDS and not len(material.source):
            left_out[name] = "there are no old rooms to lean on: no model was trained on frames of this card"
            continue
        try:
            learn = learn_by(name, material)
            ordinal = learn(material.rows).kind == "ordinal"
            found = held_out(_predictor(learn), material.rows, folds, len(material.classes))
        except SelectionError as error:
            left_out[name] = str(error)
            continue
        heat = best_heat(found, material.rows, material.classes, ordinal=ordinal)
        told = heated(found, heat, ordinal=ordinal)
        judged = score(told, material.rows, material.classes, ordered=material.ordered)
        tried.append(Tried(name, learn, judged, heat, time.monotonic() - began))
    return tried, left_out


def best_of(tried: Sequence[Tried]) -> Tried:
    """The one with the least log loss; of those within `TIE` of it the first, which is the simplest."""
    least = min(one.score.log_loss for one in tried)
    return next(one for one in tried if one.score.log_loss <= least + TIE)


def _predictor(learn: Learn) -> Callable[[Rows], Predict]:
    return lambda rows: learn(rows).predict


def blocks_of(material: Material, block_s: float) -> int:
    """Disjoint blocks of this length in all labelled rows."""
    rows = material.rows
    keys = zip(rows.session, np.floor(rows.start_s / block_s), strict=True)
    return len(set(keys))
