"""How well classes of breathing rate are told in simulated rooms that were never seen."""

import numpy as np

from models.data.breaths import CLASSES, breaths
from models.data.samples import Samples
from models.figures.studies.base import Answer
from models.learners.base import Found
from models.learners.breathing.learner import CnnRnnLearner
from models.learners.breathing.peak import PeakModel, balanced_accuracy
from models.training.metrics import class_metrics
from models.training.stopwatch import Stopwatch

_SOURCE, _TARGET = 24, 12
_SOURCE_SEED, _TARGET_SEED = 600, 700  # of rooms; a hundred apart, so that no room is on both sides


def breathing(seed: int, *, source: int = _SOURCE, target: int = _TARGET) -> Answer:
    """The class of each window, in `target` rooms by what was learned in `source` others.

    Epochs of the network and the threshold of the spectral peak are chosen on the source; `majority` always
    names the class that the source holds most of.
    """
    known, asked = breaths(source, seed=_SOURCE_SEED + seed), breaths(target, seed=_TARGET_SEED + seed)
    most = int(np.bincount(known.label, minlength=len(CLASSES)).argmax())
    watch = Stopwatch()
    with watch.step("fit of cnn_rnn"):
        model = CnnRnnLearner().fit(known, seed)
    count = np.bincount(asked.label, minlength=len(CLASSES))
    return Answer(
        _judged(model.predict(asked.inputs), asked),
        {
            "spectral_peak": _judged(PeakModel(known).predict(asked.inputs), asked),
            "majority": _judged(np.tile(np.eye(len(CLASSES))[most], (len(asked), 1)), asked),
        },
        watch.told(),
        {
            "rooms": {"source": source, "target": target},
            "windows": {"source": len(known), "target": len(asked)},
            "classes": dict(zip(CLASSES, count.tolist(), strict=True)),
        },
    )


def _judged(found: Found, asked: Samples) -> dict[str, float]:
    table = class_metrics(found, asked.label)
    best = np.asarray(found.argmax(axis=1))
    return {
        "balanced_accuracy": balanced_accuracy(best, asked.label),
        "accuracy": table["accuracy"],
        "macro_f1": table["macro_f1"],
    }
