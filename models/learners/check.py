"""What every learner refuses to learn from, said so that people can mend it."""

import numpy as np

from models.data.samples import MASK, Samples
from models.errors import SelectionError


def check_rows(samples: Samples, name: str, shape: tuple[int, ...]) -> None:
    """See that rows with one label each can be learned from.

    Args:
        samples: rows to learn from.
        name: of the input that is looked at.
        shape: of one stream in it.

    Raises:
        SelectionError: the input is not usable (`check_inputs`), or all rows are of one class.
    """
    check_inputs(samples, name, shape)
    if len(np.unique(samples.label, axis=0)) < 2:
        one = samples.classes[int(samples.label[0])] if samples.classes else "one place"
        raise SelectionError(f"all {len(samples)} rows are of one class, {one}; there must be two or more")


def check_inputs(samples: Samples, name: str, shape: tuple[int, ...]) -> None:
    """See that an input of rows can be looked at, whatever their labels.

    Raises:
        SelectionError: it is not there or of another shape, holds what is no number, or no stream is
            measured.
    """
    if name not in samples.inputs or name + MASK not in samples.inputs:
        raise SelectionError(f"these rows hold no {name}, but {', '.join(sorted(samples.inputs))}")
    values, mask = samples.inputs[name], samples.inputs[name + MASK]
    if values.shape[2:] != shape:
        raise SelectionError(f"{name} of these rows is {values.shape[2:]} a stream, {shape} is asked for")
    bad = np.asarray(~np.isfinite(values).reshape(len(values), -1).all(axis=1))
    if bad.any():
        first = int(np.flatnonzero(bad)[0])
        raise SelectionError(
            f"{int(bad.sum())} of {len(bad)} rows hold amplitudes that are no number, the first in session "
            f"{samples.session[first]} at {samples.start_s[first]:g} s"
        )
    if not mask.any():
        raise SelectionError(f"no stream of {name} is measured in any of {len(samples)} rows")
