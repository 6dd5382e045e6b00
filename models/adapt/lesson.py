"""What a room's head is learned from and judged on: the same for a running service and for recordings."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.adapt.base import ELSEWHERE, Rows, Setting
from models.adapt.head import RoomHead
from models.runtime import Base
from models.zoo import LOCAL


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """Labelled vectors of a room, those of old rooms beside them, and what they are to mean.

    Attributes:
        rows: of the room; `session` is the recording, `start_s` the time in it.
        source: rows drawn from what the backbone remembers of its training.
        shipped: the backbone's own head on the same vectors, None where its classes are others.
        classes: what labels stand for.
        ordered: whether they are counts.
        length_s: of a window.
        simulated: whether its rows were never measured; a model of simulation may speak for such alone.
    """

    rows: Rows
    source: Rows
    shipped: RoomHead | None
    backbone: Base
    classes: tuple[str, ...]
    ordered: bool
    length_s: float
    simulated: bool

    def setting(self, rows: Rows) -> Setting:
        """What a method may look at to learn from these rows of the room."""
        return Setting(
            source=self.source,
            support=rows,
            unlabelled=None,
            bridge=None,
            classes=len(self.classes),
            ordered=self.ordered,
            length_s=self.length_s,
            base=self.shipped,
        )

    def native(self) -> RoomHead | None:
        """The backbone's own head where it may speak for such rows without having been judged in the room."""
        card = self.backbone.card
        fits = card.simulated == self.simulated and card.shelf != LOCAL
        return self.shipped if fits else None


def remembered(backbone: Base, classes: Sequence[str], width: int) -> Rows:
    """Rows as the backbone remembers them; of classes that the room has not, each is a domain by itself."""
    if backbone.core is None or backbone.core.mean.shape[2] != width:  # none, or of other features
        none = np.zeros(0)
        return Rows(np.zeros((0, width)), none.astype(np.int64), none.astype(str), none.astype(str), none)
    values, label, group = backbone.core.rows()
    names = [backbone.card.classes[one] for one in label]
    told = np.array([classes.index(one) if one in classes else ELSEWHERE for one in names], np.int64)
    domain = np.array(
        [
            f"old{g}" if t != ELSEWHERE else f"old{g}/{name}"
            for g, t, name in zip(group, told, names, strict=True)
        ]
    )
    return Rows(values, told, domain, domain, np.arange(len(values), dtype=np.float64))
