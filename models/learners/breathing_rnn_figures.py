"""How well classes of breathing rate are told in simulated rooms that were never seen."""

from typing import Any

import numpy as np

from models.data.breaths import CLASSES, breaths
from models.data.samples import Samples
from models.learners.base import Found
from models.learners.breathing_rnn import CnnRnnLearner
from models.learners.breathing_rnn_peak import PeakModel, balanced_accuracy
from models.training.metrics import class_metrics

_SOURCE, _TARGET = 40, 20


def figures(seed: int, *, source: int = _SOURCE, target: int = _TARGET) -> dict[str, Any]:
    """Train in `source` simulated rooms, judge in `target` others; the same seed gives the same figures.

    Epochs of the network and the threshold of the peak are chosen on the source.
    """
    known, asked = breaths(source, seed=600 + seed), breaths(target, seed=700 + seed)
    count = np.bincount(asked.label, minlength=len(CLASSES))
    return {
        "trained_on": "simulation",
        "seed": seed,
        "rooms": {"source": source, "target": target},
        "windows": {"source": len(known), "target": len(asked)},
        "classes": dict(zip(CLASSES, count.tolist(), strict=True)),
        "cnn_rnn": _judged(CnnRnnLearner().fit(known, seed).predict(asked.inputs), asked),
        "baselines": {"spectral_peak": _judged(PeakModel(known).predict(asked.inputs), asked)},
    }


def _judged(found: Found, asked: Samples) -> dict[str, float]:
    table = class_metrics(found, asked.label)
    best = np.asarray(found.argmax(axis=1))
    told = {
        "balanced_accuracy": balanced_accuracy(best, asked.label),
        "accuracy": table["accuracy"],
        "macro_f1": table["macro_f1"],
    }
    return {name: round(value, 4) for name, value in told.items()}
