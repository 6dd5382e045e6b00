"""How well bins of crossing and of entry are marked in simulated rooms that were never seen."""

from collections.abc import Callable

import numpy as np

from models.data.crossings import crossings, entries
from models.data.samples import Samples
from models.figures.studies.base import Answer
from models.learners.crossing.learner import TemporalUnetLearner
from models.learners.crossing.marks import bin_f1, segment_iou
from models.learners.crossing.motion import MotionBins
from models.training.stopwatch import Stopwatch

_SOURCE, _TARGET = 24, 12
_SOURCE_SEED, _TARGET_SEED = 400, 500  # of rooms; a hundred apart, so that no room is on both sides


def crossing(seed: int, *, source: int = _SOURCE, target: int = _TARGET) -> Answer:
    """Who crosses the link, in `target` corridors by what was learned in `source` others."""
    return _answered(crossings, seed, source, target)


def entry(seed: int, *, source: int = _SOURCE, target: int = _TARGET) -> Answer:
    """Who has just come in, in `target` rooms by what was learned in `source` others."""
    return _answered(entries, seed, source, target)


def _answered(made: Callable[..., Samples], seed: int, source: int, target: int) -> Answer:
    """Thresholds and epochs are chosen on the source; `always`, which marks every bin, is for comparison."""
    known, asked = made(source, seed=_SOURCE_SEED + seed), made(target, seed=_TARGET_SEED + seed)
    watch = Stopwatch()
    with watch.step("fit of temporal_unet"):
        model = TemporalUnetLearner().fit(known, seed)
    motion = MotionBins(known)
    return Answer(
        _judged(model.predict(asked.inputs) >= model.threshold, asked),
        {
            "motion_variance": _judged(motion.predict(asked.inputs) >= motion.threshold, asked),
            "always": _judged(np.ones(asked.label.shape, np.bool_), asked),
        },
        watch.told(),
        {
            "rooms": {"source": source, "target": target},
            "windows": {"source": len(known), "target": len(asked)},
            "share_marked": round(float(asked.label.mean()), 4),
        },
    )


def _judged(found: np.ndarray, asked: Samples) -> dict[str, float]:
    """F1 of all bins, and the mean overlap of segments (`models.learners.crossing.marks`)."""
    truth = np.asarray(asked.label > 0.5)
    return {"bin_f1": bin_f1(found, truth), "segment_iou": segment_iou(found, truth)}
