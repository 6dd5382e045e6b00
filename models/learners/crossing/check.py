"""What learners of bins refuse to learn from."""

import numpy as np

from models.data.samples import Samples
from models.errors import SelectionError
from models.learners.check import check_inputs
from models.signal.inputs import AMPLITUDE, BANDS, TIME_BINS


def check_bins(samples: Samples) -> None:
    """See that each bin has a label, and that some are marked and some are not.

    Raises:
        SelectionError: it is not so, or the input is not usable (`models.learners.check`).
    """
    if samples.classes or samples.label.shape != (len(samples), TIME_BINS):
        shape, wanted = samples.label.shape[1:], (TIME_BINS,)
        raise SelectionError(
            f"a bin's learner needs labels {wanted} of each row without classes, not {shape}"
        )
    known = np.isin(samples.label, (0, 1))
    if not known.all():
        row, at = np.argwhere(~known)[0]
        raise SelectionError(f"a bin's label is 0 or 1; bin {at} of row {row} has {samples.label[row, at]}")
    if len(np.unique(samples.label)) < 2:
        said = "marked" if samples.label.any() else "unmarked"
        raise SelectionError(f"all bins of all {len(samples)} rows are {said}; there must be both")
    check_inputs(samples, AMPLITUDE, (BANDS, TIME_BINS))
