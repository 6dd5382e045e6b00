"""What an adapter is: vectors of old rooms and of a new one in, the new room's own head out.

All methods work on vectors, one a row: the embedding of a frozen backbone (as the worker has it), or the
features of a learner that has no network. So one method serves every task, offline and in a running service,
and what it learns is small (`models.adapt.head.RoomHead`).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, Self

import numpy as np
import numpy.typing as npt

from models.adapt.head import RoomHead
from models.errors import SelectionError

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]
Names = npt.NDArray[np.str_]
Tier = Literal["instant", "deep"]
Need = Literal["source", "support", "unlabelled", "bridge"]
Share = Callable[[float], None]
ELSEWHERE = -1
"""Label of a source row whose class does not exist in the room: another site's place."""


def unseen(_share: float) -> None:
    """Progress that nobody watches."""


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Vectors of windows.

    Attributes:
        values: float64 ``[row, feature]``.
        label: int64 ``[row]``, class of each; `ELSEWHERE` of source rows whose class the room does not have.
        domain: where each is from ``[row]``; `session` is its recording. Of a class that the room lacks
            it names site and class: rows of one such class, of all its recordings, share it.
        start_s: when its window begins, seconds into the recording ``[row]``.
    """

    values: Floats
    label: Labels
    domain: Names
    session: Names
    start_s: Floats

    def __len__(self) -> int:
        return len(self.values)

    def take(self, rows: npt.NDArray[np.bool_] | npt.NDArray[np.intp]) -> Self:
        """Only these rows."""
        return replace(
            self,
            values=self.values[rows],
            label=self.label[rows],
            domain=self.domain[rows],
            session=self.session[rows],
            start_s=self.start_s[rows],
        )


@dataclass(frozen=True, slots=True, eq=False)
class Setting:
    """What a method may look at. Never the labels of rows that are judged.

    Attributes:
        source: labelled rows of old rooms (in a service: the core-set that the model ships or keeps).
        support: labelled rows of the room, None for methods without labels.
        unlabelled: rows of the room without labels ``[row, feature]``, if they may be used.
        bridge: rows of further rooms without labels, if there are any.
        classes: how many there are.
        ordered: whether they are counts, so that near ones are less wrong than far ones.
        length_s: of a window: rows of one recording nearer than this share frames.
        base: the source's own head on the same vectors, None where it has none.
    """

    source: Rows
    support: Rows | None
    unlabelled: Floats | None
    bridge: Floats | None
    classes: int
    ordered: bool
    length_s: float = 0.0
    base: RoomHead | None = None

    def needed_support(self) -> Rows:
        """The labelled rows of the room.

        Raises:
            SelectionError: there are none.
        """
        if self.support is None or not len(self.support):
            raise SelectionError("this method learns from labelled rows of the room; give --support")
        return self.support

    def needed_target(self) -> Floats:
        """All rows of the room that may be looked at, labelled or not ``[row, feature]``.

        Raises:
            SelectionError: there are none.
        """
        parts = [self.support.values] if self.support is not None else []
        parts += [self.unlabelled] if self.unlabelled is not None else []
        if not parts:
            raise SelectionError("this method looks at rows of the room; give --support or --transductive")
        return np.concatenate(parts)


class Adapter:
    """One method; a subclass says its names and adapts.

    Attributes:
        NAME: as ``--method`` and the API call it.
        TITLE: one line: what it does, and after which paper.
        TIER: `instant` (numpy, under a second) or `deep` (torch).
        NEEDS: what must be there besides the vectors to be judged.
        EXPERIMENTAL: offered, but never chosen by `auto`.
    """

    NAME: str
    TITLE: str
    TIER: Tier
    NEEDS: tuple[Need, ...]
    EXPERIMENTAL: bool = False

    def adapt(self, setting: Setting, seed: int, *, progress: Share = unseen) -> RoomHead:
        """The room's head; the same seed gives the same head, bit for bit on one machine.

        Raises:
            SelectionError: something it needs is not there, or too little to learn from.
        """
        raise NotImplementedError
