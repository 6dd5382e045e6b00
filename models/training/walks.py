"""One answer a walk, voted by the windows in its middle as the running service votes (row 12 of METHODS)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models.data.samples import STRETCH, Samples
from models.signal.voting import vote
from models.training.judge import bootstrap
from models.training.task import TaskSpec

Floats = npt.NDArray[np.float64]
PREFIX = "walk_"
"""Metrics after voting have the names of those per window, with this before."""


@dataclass(frozen=True, slots=True, eq=False)
class Walks:
    """Walks of judged rows: their session, label, and answer.

    Attributes:
        session: names ``[walk]``.
        label: ``[walk]``.
        found: probabilities ``[walk, class]``.
    """

    session: npt.NDArray[np.str_]
    label: npt.NDArray[Any]
    found: Floats


def voted(query: Samples, found: Floats) -> Walks | None:
    """Soft majority over the middle of every walk; None where rows are no windows of walks.

    Args:
        query: judged rows.
        found: probabilities of each ``[row, class]``.
    """
    if STRETCH not in query.inputs or not query.classes:
        return None
    names, first, number = np.unique(query.session, return_index=True, return_inverse=True)
    answers = [_vote(query, found, np.flatnonzero(number == one)) for one in range(len(names))]
    return Walks(names, query.label[first], np.stack(answers))


def _vote(query: Samples, found: Floats, rows: npt.NDArray[np.intp]) -> Floats:
    start_s, end_s = query.inputs[STRETCH][rows[0]].tolist()
    middles = query.start_s[rows] + query.length_s / 2
    answer = vote(middles.tolist(), found[rows], start_s, end_s)
    if answer is None:
        raise ValueError("a walk without a window")
    return answer


def joined(parts: Sequence[Walks | None]) -> Walks | None:
    """The walks of all folds; None where there are none."""
    held = [part for part in parts if part is not None]
    if not held:
        return None
    return Walks(*(np.concatenate([getattr(one, name) for one in held]) for name in Walks.__slots__))


def walk_metrics(spec: TaskSpec, walks: Walks | None) -> dict[str, float]:
    """Metrics of the task after voting; none without walks."""
    if walks is None:
        return {}
    return {f"{PREFIX}{name}": value for name, value in spec.metrics(walks.found, walks.label).items()}


def walk_intervals(spec: TaskSpec, walks: Walks | None) -> Mapping[str, tuple[float, float]]:
    """95 % interval of every metric after voting; walks are drawn."""
    if walks is None:
        return {}
    start_s = np.zeros(len(walks.label))
    drawn = bootstrap(spec.metrics, walks.found, walks.label, walks.session, start_s)
    return {f"{PREFIX}{name}": value for name, value in drawn.items()}
