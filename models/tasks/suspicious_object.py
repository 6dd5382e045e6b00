"""Suspicious objects: what is carried through the room, ``"none"`` or a material such as ``"metal"``."""

from dataclasses import replace

import numpy as np

from models.memory import RoomMemory, Verdict
from models.prediction import JsonValue, Prediction
from models.tasks.base import Evidence
from models.tasks.classes import classified
from models.tasks.fusion import Floats

NONE = "none"
HOLD_S = 10.0
"""How long the verdict on a walk stands after its end."""
ALARM = 0.7
"""Least probability at which a material is named: it raises a critical alert, and somebody is searched."""


class SuspiciousObject:
    """``"none"``, ``"metal"``, ``"liquid"`` or what else the model's card names.

    A single window says little (row 12: 51 % before voting, 93 % after). With a memory the answer is the vote
    of the windows in the middle of a walk, given when the walk is over and kept for `HOLD_S`; extras `walk`
    say from when to when, and `window` what the last window said alone. Before and between walks it is none.
    """

    name = "suspicious_object"
    needs_model = True

    def predict(self, evidence: Evidence) -> Prediction:
        """The verdict on the last walk; without memory that of the window alone.

        Raises:
            FloatingPointError: the model gave no number.
        """
        alone, found = classified(self.name, evidence)
        model, memory = evidence.model, evidence.memory
        if model is None or alone.value is None or NONE not in model.card.classes:
            return alone
        if memory is None:
            best = _named(found, model.card.classes)
            return replace(alone, value=model.card.classes[best], probability=float(found[best]))
        return _voted(alone, found, evidence, memory, model.card.classes)


def _voted(
    alone: Prediction, found: Floats, evidence: Evidence, memory: RoomMemory, classes: tuple[str, ...]
) -> Prediction:
    memory.walked(evidence.view, found)
    window: dict[str, JsonValue] = {"this_window": alone.value, **alone.extras}
    verdict = memory.verdict
    if verdict is None or evidence.view.window.end_ns / 1e9 - verdict.walk.end_s > HOLD_S:
        return replace(alone, value=NONE, probability=float(found[classes.index(NONE)]), extras=window)
    best = _named(verdict.probabilities, classes)
    return replace(
        alone,
        value=classes[best],
        probability=float(verdict.probabilities[best]),
        extras={**window, "walk": _told(verdict)},
    )


def _named(probabilities: Floats, classes: tuple[str, ...]) -> int:
    """The likeliest class, if it is none or likely enough to be named; else none."""
    best = int(np.argmax(probabilities))
    return best if probabilities[best] >= ALARM else classes.index(NONE)


def _told(verdict: Verdict) -> JsonValue:
    return {"from_s": round(verdict.walk.start_s, 2), "to_s": round(verdict.walk.end_s, 2)}
