"""How well bins of crossing and of entry are marked in simulated rooms that were never seen."""

from collections.abc import Callable
from typing import Any

import numpy as np

from models.data.crossings import crossings, entries
from models.data.samples import Samples
from models.learners.crossing import MotionBins, TemporalUnetLearner
from models.learners.crossing_metrics import bin_f1, segment_iou

_SOURCE, _TARGET = 24, 12
_MADE: dict[str, Callable[..., Samples]] = {"crossing": crossings, "entry": entries}


def figures(seed: int, *, source: int = _SOURCE, target: int = _TARGET) -> dict[str, Any]:
    """Train in `source` simulated rooms, judge in `target` others; the same seed gives the same figures.

    Thresholds and epochs are chosen on the source. `bin_f1` is that of all bins, `segment_iou` the mean
    overlap of segments (`models.learners.crossing_metrics`); `always` marks every bin, for comparison.
    """
    told: dict[str, Any] = {
        "trained_on": "simulation",
        "seed": seed,
        "rooms": {"source": source, "target": target},
    }
    for task, made in _MADE.items():
        known, asked = made(source, seed=400 + seed), made(target, seed=500 + seed)
        model, motion = TemporalUnetLearner().fit(known, seed), MotionBins(known)
        told[task] = {
            "windows": {"source": len(known), "target": len(asked)},
            "share_marked": round(float(asked.label.mean()), 4),
            "temporal_unet": _judged(model.predict(asked.inputs) >= model.threshold, asked),
            "baselines": {
                "motion_variance": _judged(motion.predict(asked.inputs) >= motion.threshold, asked),
                "always": _judged(np.ones(asked.label.shape, np.bool_), asked),
            },
        }
    return told


def _judged(found: np.ndarray, asked: Samples) -> dict[str, float]:
    truth = np.asarray(asked.label > 0.5)
    return {"bin_f1": round(bin_f1(found, truth), 4), "segment_iou": round(segment_iou(found, truth), 4)}
