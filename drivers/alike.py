"""How often a pattern of records stands right behind itself, found in one vectorised step.

A steady link writes the same records over and over. Having walked over one pattern, a framing compares the
header fields of all further ones with it at once, instead of record by record.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Field = tuple[int, str]
"""Where a field stands in the pattern, and its numpy type; only equality counts, not the byte order."""
_WORTH_IT = 4  # from this many repetitions on, looking again at once pays
_PROBE = 16  # most patterns that do not repeat are told apart within these
_FEWEST = 3  # itself, one repetition, and the last, which is left


def repeats(data: npt.NDArray[np.uint8], begin: int, stride: int, fields: Sequence[Field]) -> int:
    """Repetitions right behind a pattern, without the last, which is left to be walked over.

    Args:
        data: the buffer.
        begin: where the pattern starts that was walked over.
        stride: its length in bytes.
        fields: what must be the same in each repetition.
    """
    total = (len(data) - begin) // stride  # itself and what might be repetitions
    if total < _FEWEST:
        return 0
    alike = 1
    for limit in (_PROBE, total):
        rows = min(limit, total)
        same = np.ones(rows, np.bool_)
        for offset, kind in fields:
            column: npt.NDArray[Any] = np.ndarray((rows,), kind, data, begin + offset, (stride,))
            same &= column == column[0]
        alike = rows if same.all() else int(np.argmin(same))
        if alike < limit:
            break
    return max(alike - 2, 0)


def next_wait(count: int, patience: int) -> int:
    """For how many frames not to look again, after `count` repetitions were found: longer where none are."""
    return 0 if count >= _WORTH_IT else min(2 * patience + 1, 63)
