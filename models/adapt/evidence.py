"""How labelled rows of a room can be judged: what is learned from, what is held out, what is too little.

Two recordings of each class or more: one of each is left out in turn. One recording of a class: its earlier
and its later part are judged by what the other one taught, with a guard of 7 s between, and all that passes
is `provisional`, for both parts are of one recording. Less than two disjoint blocks of 5 s in any class is no
evidence (DESIGN B6). numpy alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.adapt.base import Rows

GUARD_S, BLOCK_S = 7.0, 5.0
Mask = npt.NDArray[np.bool_]


class GateRefusal(Exception):  # noqa: N818 - an answer, not an error
    """Why nothing is activated: a stable `reason`, and what to do about it."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason, self.detail = reason, detail


@dataclass(frozen=True, slots=True, eq=False)
class Folds:
    """Pairs of rows to learn from and rows to judge; `provisional` where both are of one recording."""

    pairs: Sequence[tuple[Mask, Mask]]
    provisional: bool


def folds_of(rows: Rows, classes: Sequence[str], length_s: float, *, forced: bool = False) -> Folds:
    """How these labelled rows can be judged.

    Raises:
        GateRefusal: `insufficient_evidence`, unless `forced`: then too little is split in half as it is.
    """
    present = np.unique(rows.label)
    if len(present) < 2:
        said = f"all samples say {classes[present[0]]}" if len(present) else "there are no samples"
        raise GateRefusal("insufficient_evidence", f"{said}; a task needs samples of two classes or more")
    recordings = {int(one): np.unique(rows.session[rows.label == one]) for one in present}
    if all(len(held) > 1 for held in recordings.values()):
        return Folds(_left_out(rows, recordings), provisional=False)
    early, late = np.zeros(len(rows), np.bool_), np.zeros(len(rows), np.bool_)
    for one in present:
        mine = np.flatnonzero(rows.label == one)
        first, second = _halves(rows, mine, length_s)
        if forced and not (len(first) and len(second)):
            first, second = mine[: len(mine) // 2], mine[len(mine) // 2 :]
        elif not (len(first) and len(second)):
            raise GateRefusal(
                "insufficient_evidence",
                f"{classes[one]} has less than two separate blocks of {BLOCK_S:g} s: record it for 20 s or "
                "more, or better twice at different times",
            )
        early[first], late[second] = True, True
    return Folds(((early, late), (late, early)), provisional=True)


def _left_out(rows: Rows, recordings: Mapping[int, npt.NDArray[np.str_]]) -> list[tuple[Mask, Mask]]:
    """One recording of every class at a time; classes with fewer begin again."""
    pairs = []
    for turn in range(max(len(held) for held in recordings.values())):
        asked = np.zeros(len(rows), np.bool_)
        for one, held in recordings.items():
            asked |= (rows.label == one) & (rows.session == held[turn % len(held)])
        pairs.append((~asked, asked))
    return pairs


def _halves(
    rows: Rows, mine: npt.NDArray[np.intp], length_s: float
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]:
    """Earlier and later rows of one class, with as much of the guard between as leaves two blocks."""
    first, last = float(rows.start_s[mine].min()), float(rows.start_s[mine].max()) + length_s
    gap = min(GUARD_S, last - first - 2 * BLOCK_S)
    if gap < 0:
        return mine[:0], mine[:0]
    middle = (first + last) / 2
    starts = rows.start_s[mine]
    return mine[starts + length_s <= middle - gap / 2 + 1e-6], mine[starts >= middle + gap / 2 - 1e-6]
