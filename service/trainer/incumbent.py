"""What serves in a room now, asked as its candidate is: about recordings that it did not learn from.

A head tells the rows it learned from better than any other that is held out from them. So what serves speaks
for itself on recordings that are new to it; of the others it is told what its method, held out like the
candidate, makes of the rest of what it learned from (ADR 13).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import sqlalchemy as sa

from models.adapt import tier_of
from models.adapt.base import Floats
from models.adapt.contest import Tried, best_of, judge
from models.adapt.evidence import Folds, GateRefusal, Mask
from models.adapt.gate import MARGIN, Score, check_better, score
from models.adapt.head import RoomHead
from models.adapt.head_file import unpack_head
from service.store.engine import Store
from service.store.schema import versions
from service.store.versions import ACTIVE
from service.trainer.material import Material

ALL, NEW, TAUGHT = (
    "all that was judged",
    "recordings new to what serves",
    "recordings that taught what serves",
)
_BUDGET_S = 60.0


@dataclass(frozen=True, slots=True, eq=False)
class Incumbent:
    """The head that serves, what its answers stand for, and how it was made."""

    head: RoomHead
    classes: tuple[str, ...]
    method: str
    samples: frozenset[str]
    provisional: bool

    def asked(self, material: Material) -> Floats | None:
        """Its probabilities ``[row, class of the material]``, 0 of those it has not; None if it has none."""
        told = self.head.predict(material.rows.values)
        place = {name: column for column, name in enumerate(self.classes[: told.shape[1]])}
        if not set(place) & set(material.classes):
            return None
        found = np.zeros((len(told), len(material.classes)))
        for column, name in enumerate(material.classes):
            if name in place:
                found[:, column] = told[:, place[name]]
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """What serves and its candidate on the same rows, and which these are."""

    before: Score
    after: Score
    rows: str
    provisional: bool = False
    """Whether what serves was judged on its own recordings only."""

    def check(self, *, proven: bool, blocks: int) -> None:
        """See that the candidate may replace what serves.

        It must be better; one that was judged on recordings left out need be no worse than a provisional one.

        Raises:
            GateRefusal: `not_better`.
        """
        if not (proven and self.provisional):
            check_better(self.after, self.before, blocks)
            return
        before, after = self.before, self.after
        worse = after.log_loss > before.log_loss + MARGIN
        if worse or after.balanced_accuracy < before.balanced_accuracy - MARGIN:
            raise GateRefusal(
                "not_better",
                f"{self.rows}: it gets {after.balanced_accuracy:.2f} right (log loss {after.log_loss:.2f}); "
                f"what serves gets {before.balanced_accuracy:.2f} (log loss {before.log_loss:.2f}). Nothing "
                "changes",
            )


def incumbent_of(store: Store, room: str, task: str, model_digest: str) -> Incumbent | None:
    """The room's own head that serves now, if it stands on this backbone."""
    mine = (versions.c.room == room) & (versions.c.task == task) & (versions.c.state == ACTIVE)
    with store.read() as connection:
        row = connection.execute(sa.select(versions).where(mine)).mappings().first()
    if row is None or row["model_digest"] != model_digest:
        return None
    try:
        head = unpack_head(row["head"])
    except ValueError:
        return None
    document: dict[str, Any] = row["doc"]
    taught = frozenset(map(str, document.get("samples", ())))
    classes = tuple(map(str, document.get("classes", ())))
    return Incumbent(head, classes, str(row["method"]), taught, bool(row["provisional"]))


def compare(
    serving: Incumbent, material: Material, folds: Folds, tried: Sequence[Tried]
) -> Comparison | None:
    """What serves beside the best of those tried, on the same rows; None if it tells other things apart."""
    after, told = best_of(tried).score, serving.asked(material)
    if told is None:
        return None
    judged: Mask = np.asarray(np.isfinite(after.found).all(axis=1), np.bool_)
    taught = _taught(serving, material)
    fair = _held_out(serving, material, folds, tried, taught)
    fair[~taught] = told[~taught]
    there: Mask = np.asarray(judged & np.isfinite(fair).all(axis=1), np.bool_)
    if not there.any():  # nothing is new to it, and its method cannot be asked here
        found, there, which = told, judged, TAUGHT
    else:
        found, which = fair, ALL if (there == judged).all() else NEW
    before, held = (_score(one, there, material) for one in (found, after.found))
    return Comparison(before, held, which, serving.provisional)


def _taught(serving: Incumbent, material: Material) -> Mask:
    """Rows of recordings of which it learned from a sample."""
    names = {name for sample, name in material.recordings.items() if sample in serving.samples}
    return np.asarray(np.isin(material.rows.session, sorted(names)), np.bool_)


def _held_out(
    serving: Incumbent, material: Material, folds: Folds, tried: Sequence[Tried], taught: Mask
) -> Floats:
    """What its method makes of the recordings it learned from, each held out; NaN where that cannot be."""
    for one in tried:
        if one.name == serving.method and taught.all():  # it learned from all that they did
            return one.score.found.copy()
    if _is_slow(serving.method) and not any(_is_slow(one.name) for one in tried):
        return np.full((len(taught), len(material.classes)), np.nan)
    return _learned_again(serving, material, folds, taught)


def _is_slow(method: str) -> bool:
    """Whether it takes seconds: where nothing was tried that does, nobody waits for it."""
    return tier_of(method) == "deep"


def _learned_again(serving: Incumbent, material: Material, folds: Folds, taught: Mask) -> Floats:
    rows, needed = material.rows, np.unique(material.rows.label[taught])
    pairs = [(known & taught, asked & taught) for known, asked in folds.pairs]
    pairs = [
        (known, asked) for known, asked in pairs if asked.any() and np.isin(needed, rows.label[known]).all()
    ]
    if pairs:
        mine = replace(folds, pairs=pairs)
        again, _ = judge([serving.method], material, mine, budget_s=_BUDGET_S, say=lambda _share, _what: None)
        for one in again:
            return one.score.found.copy()
    return np.full((len(rows), len(material.classes)), np.nan)


def _score(found: Floats, there: Mask, material: Material) -> Score:
    told = np.where(there[:, None], found, np.nan)
    return score(told, material.rows, material.classes, ordered=material.ordered)
