"""What is learned from, adapted on and judged: problems cut out of the rows of one data set (DESIGN A2)."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.data.registry import Dataset, Lending
from models.data.samples import Samples
from models.errors import SelectionError
from models.learners.base import Problem
from models.training.selection import Part, groups, inside
from models.training.sites import Placed, placed
from models.training.support import Support, split
from models.training.task import TaskSpec, task_spec

DRAWS = 10
"""Draws of the support from shuffled rows that a figure is the mean of."""
Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Cut:
    """Which rows play which part.

    Attributes:
        samples: all rows that were read; `bridge` are further ones, whose labels nobody looks at.
        supports: none where nothing of the target is labelled.
        transductive: whether rows to be judged may be looked at without their labels.
    """

    dataset: Dataset
    samples: Samples
    source: Sequence[Part]
    target: Sequence[Part]
    supports: Sequence[Support]
    transductive: bool
    bridge: Samples | None

    @property
    def draws(self) -> Sequence[int | None]:
        """Seeds of the draws of the support; None is the first rows of each class."""
        return range(DRAWS) if self.supports and self.samples.shuffled else (None,)

    def left_out(self, what: str, seed: int) -> list[Problem]:
        """A problem for each group of the source that is judged by the others.

        Raises:
            SelectionError: there are no such groups, or one shares no site with the rest.
        """
        known = inside(self.samples, self.source)
        group = np.full(len(self.samples), "", object)
        group[known] = groups(self.samples.take(known), what, seed)
        return [
            self._without_support(known & (group != name), known & (group == name))
            for name in np.unique(group[known].astype(np.str_))
        ]

    def across(self, draw: int | None = None) -> Problem:
        """The problem of source against target.

        Raises:
            SelectionError: nothing is left to learn from, to adapt on or to judge.
        """
        known, asked = inside(self.samples, self.source), inside(self.samples, self.target)
        return (
            self._with_support(known, asked, draw) if self.supports else self._without_support(known, asked)
        )

    def _without_support(self, known: Mask, asked: Mask) -> Problem:
        there = self._placed(known | asked, asked)
        source, query = there.samples.take(known), there.samples.take(asked)
        if not there.native[known].any():
            raise SelectionError(
                "the source shows no place of the target's site: places mean the same within one site alone; "
                "give --support DOMAIN:AMOUNT of the target's site, or a source within it"
            )
        check_apart(source, query)
        return self._problem(there, known, (query, None), 0)

    def _with_support(self, known: Mask, asked: Mask, draw: int | None) -> Problem:
        lent = np.isin(self.samples.domain, [one.domain for one in self.supports])
        there = self._placed(known | asked | lent, asked)
        if not there.native[lent].all():
            raise SelectionError("support of another site: its places are none of the target's")
        may = self.dataset.lends(self.samples) if isinstance(self.dataset, Lending) else None
        pool = asked | lent
        parted = split(
            there.samples.take(pool),
            self.supports,
            asked=asked[pool],
            lends=None if may is None else may[pool],
            draw=draw,
        )
        check_apart(there.samples.take(known), parted.query)
        return self._problem(there, known, (parted.query, parted.support), parted.left_out)

    def _placed(self, used: Mask, asked: Mask) -> Placed:
        domains = self.samples.domain[asked].tolist()
        return placed(self.samples, domains, self.dataset.site, used)

    def _problem(
        self, there: Placed, known: Mask, parts: tuple[Samples, Samples | None], left_out: int
    ) -> Problem:
        query, support = parts
        native = there.native[known]
        # Metres of another map teach nothing; classes of another site are classes of their own.
        source = there.samples.take(known)
        source = source.take(native) if native.any() and not there.classes else source
        spec = task_spec(self.samples.task, there.samples.classes[: there.classes])
        if spec.classes:
            check_classes(source, query, spec)
        unlabelled = query if self.transductive else support
        foreign = not native.any()
        return Problem(source, query, support, unlabelled, spec, self.bridge, foreign, left_out)


def check_classes(source: Samples, query: Samples, spec: TaskSpec) -> None:
    """Refuse what cannot be learned or judged.

    Raises:
        SelectionError: one side shows a single class.
    """
    for side, held in (("source", source), ("target", query)):
        if len(np.unique(held.label)) < 2:
            raise SelectionError(f"the {side} holds one class only; {spec.name} needs two or more")


def check_apart(source: Samples, query: Samples) -> None:
    """Refuse a row on both sides: it would be judged on what it was trained on.

    Raises:
        SelectionError: source and query share frames.
    """
    least = source.length_s or 1.0
    for session in set(source.session.tolist()) & set(query.session.tolist()):
        ours, theirs = source.start_s[source.session == session], query.start_s[query.session == session]
        nearest = np.abs(ours[:, None] - theirs[None]).min()
        if nearest < least:
            raise SelectionError(
                f"source and target share frames of {session}; leave {least:g} s or more between "
                f"their time ranges, e.g. --source RoomA:0s-75s --target RoomA:82s-120s"
            )
