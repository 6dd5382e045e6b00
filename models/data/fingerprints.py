"""What the loaders of fingerprint rows share: refusing what cannot be a fingerprint, and choosing classes."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from models.data.samples import Samples
from models.errors import DatasetError

Array = npt.NDArray[Any]


def checked(path: Path, name: str, values: Array, shape: tuple[int, ...]) -> Array:
    """These values, whose rows must have this shape and hold finite numbers.

    Raises:
        DatasetError: a row is shaped otherwise, a value is no finite number, or there is no row.
    """
    if values.shape[1:] != shape or not len(values):
        raise DatasetError(f"{path}: {name} is {values.shape}; rows of {shape} are expected")
    broken = np.flatnonzero(~np.isfinite(values).reshape(len(values), -1).all(axis=1))
    if len(broken):
        raise DatasetError(f"{path}: {name} of row {broken[0]} holds NaN or infinity; leave such rows out")
    return values


def only(samples: Samples, classes: Sequence[str] | None) -> Samples:
    """Rows of these classes alone; their names stay as they are.

    Raises:
        DatasetError: a class has no row.
    """
    if classes is None:
        return samples
    for name in classes:
        if name not in samples.classes or samples.classes.index(name) not in samples.label:
            there = ", ".join(samples.classes[one] for one in np.unique(samples.label))
            raise DatasetError(f"class {name!r} of {samples.domain[0]} is empty: there are {there}")
    kept = [samples.classes.index(name) for name in classes]
    return samples.take(np.isin(samples.label, kept))
