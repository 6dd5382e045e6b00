"""Places mean the same within one site alone: what the labels of source rows are worth in the target's.

Cell 3 of one building is no cell of another. Rows of another site keep classes of their own, told apart by
the site's name and numbered after those of the target, so that features can still be learned from them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.data.samples import Samples
from models.errors import SelectionError

PLACED = "localization"
"""The task whose labels are bound to a site."""


@dataclass(frozen=True, slots=True, eq=False)
class Placed:
    """Rows whose labels are told apart by site.

    Attributes:
        samples: all rows; the target's classes come first among their classes.
        classes: how many classes the target has; 0 where labels are metres.
        native: rows whose labels mean something in the target ``[row]``.
    """

    samples: Samples
    classes: int
    native: npt.NDArray[np.bool_]


def placed(
    samples: Samples, target: Sequence[str], site: Callable[[str], str], used: npt.NDArray[np.bool_]
) -> Placed:
    """The same rows with labels by site; unchanged where all of them are of one site, or are no places.

    Args:
        samples: all rows that were read.
        target: domains that are judged.
        site: site of a domain.
        used: rows of source, target and support; others may be of any site.

    Raises:
        SelectionError: the target has metres of several sites.
    """
    where = np.array([site(name) for name in samples.domain])
    ours = sorted({site(name) for name in target})
    native = np.isin(where, ours)
    if samples.task != PLACED or len(np.unique(where[used])) == 1:
        return Placed(samples, len(samples.classes), np.ones(len(samples), np.bool_))
    if not samples.classes:
        if len(ours) > 1:
            raise SelectionError(f"metres of {', '.join(ours)} are not on one map: judge one site at a time")
        return Placed(samples, 0, native)
    keys = sorted(
        {
            (not near, one, int(number))
            for near, one, number in zip(native.tolist(), where.tolist(), samples.label.tolist(), strict=True)
        }
    )
    place = {(one, number): at for at, (_, one, number) in enumerate(keys)}
    label = np.array([place[one, int(number)] for one, number in zip(where, samples.label, strict=True)])
    names = tuple(
        samples.classes[number] if not away and len(ours) == 1 else f"{one}/{samples.classes[number]}"
        for away, one, number in keys
    )
    count = sum(not away for away, _, _ in keys)
    return Placed(samples.relabelled(samples.task, label, names), count, native)
