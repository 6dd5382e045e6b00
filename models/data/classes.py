"""Rows whose parts know different classes, and rows of some classes alone."""

from collections.abc import Sequence

import numpy as np

from models.data.samples import Samples
from models.errors import DatasetError


def over_all_classes(parts: Sequence[Samples], *, last: str) -> Samples:
    """All rows over all classes that any part has, in order of appearance; the class `last` comes last."""
    names = dict.fromkeys(name for part in parts for name in part.classes if name != last)
    ends = (last,) if any(last in part.classes for part in parts) else ()
    return Samples.join([_among(part, (*names, *ends)) for part in parts])


def only_classes(samples: Samples, classes: Sequence[str] | None) -> Samples:
    """Rows of the classes named, which are then all there are; all rows where none is.

    Raises:
        DatasetError: a class has no row.
    """
    if classes is None:
        return samples
    for name in classes:
        if name not in samples.classes or samples.classes.index(name) not in samples.label:
            there = ", ".join(samples.classes[one] for one in np.unique(samples.label))
            raise DatasetError(f"class {name!r} of {samples.task} is empty: there are {there}")
    numbers = [samples.classes.index(name) for name in classes]
    kept = samples.take(np.isin(samples.label, numbers))
    label = np.array([numbers.index(one) for one in kept.label], np.int64)
    return kept.relabelled(samples.task, label, tuple(classes))


def _among(samples: Samples, classes: tuple[str, ...]) -> Samples:
    """The same labels as places among these classes, which hold all of its own."""
    place = np.array([classes.index(name) for name in samples.classes])
    return samples.relabelled(samples.task, place[samples.label], classes)
