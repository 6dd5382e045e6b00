"""How well marks on bins of time fit: F1 of bins, overlap of segments, and the threshold that fits best."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Marks = npt.NDArray[np.bool_]
_THRESHOLDS = 60


def bin_f1(found: Marks, truth: Marks) -> float:
    """F1 of the marked bins; 1 where there is nothing to mark and nothing is marked."""
    both, either = int((found & truth).sum()), int(found.sum()) + int(truth.sum())
    return 2 * both / either if either else 1.0


def segment_iou(found: Marks, truth: Marks) -> float:
    """Mean intersection over union of segments in rows ``[row, bin]``.

    Each true segment counts with the found one that it overlaps most, or 0; a found segment that overlaps no
    true one counts 0 beside them, so that false alarms cost. 1 where there are none of either.
    """
    scores: list[float] = []
    for seen, true in zip(found, truth, strict=True):
        wanted, marked = segments(true), segments(seen)
        scores += [max((_iou(one, other) for other in marked), default=0.0) for one in wanted]
        scores += [0.0 for other in marked if not any(_iou(one, other) for one in wanted)]
    return float(np.mean(scores)) if scores else 1.0


def segments(row: Marks) -> list[tuple[int, int]]:
    """Runs of marked bins of one row, from the first to before the last."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], row, [False]]).astype(np.int8)))
    return [(int(first), int(last)) for first, last in edges.reshape(-1, 2)]


def best_threshold(score: Floats, truth: Marks) -> float:
    """The threshold of these scores with the best F1; for rows learned from, never for judged ones."""
    tried = np.unique(np.quantile(score, np.linspace(0, 1, _THRESHOLDS)))
    return float(tried[np.argmax([bin_f1(score >= one, truth) for one in tried])])


def _iou(one: tuple[int, int], other: tuple[int, int]) -> float:
    shared = min(one[1], other[1]) - max(one[0], other[0])
    whole = max(one[1], other[1]) - min(one[0], other[0])
    return max(shared, 0) / whole
