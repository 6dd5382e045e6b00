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


class SuspiciousObject:
    """``"none"``, ``"metal"``, ``"liquid"`` or what else the model's card names.

    A single window says little (row 12: 51 % before voting, 93 % after). With a memory the answer is the vote
    of the windows in the middle of a walk, given when the walk is over and kept for `HOLD_S`; extras `walk`
    say from when to when, and `window` what the last window said alone. Before and between walks it is none.
    """

    name = "suspicious_object"
    needs_model = True

    def predict(self, evidence: Evidence) -> Prediction:
        """The verdict on the last walk; without memory the most probable class of the window.

        Raises:
            FloatingPointError: the model gave no number.
        """
        alone, found = classified(self.name, evidence)
        model, memory = evidence.model, evidence.memory
        if memory is None or model is None or alone.value is None or NONE not in model.card.classes:
            return alone
        return _voted(alone, found, evidence, memory, model.card.classes)


def _voted(
    alone: Prediction, found: Floats, evidence: Evidence, memory: RoomMemory, classes: tuple[str, ...]
) -> Prediction:
    memory.walked(evidence.view, found)
    window: dict[str, JsonValue] = {"window": alone.value, **alone.extras}
    verdict = memory.verdict
    if verdict is None or evidence.view.window.end_ns / 1e9 - verdict.walk.end_s > HOLD_S:
        return replace(alone, value=NONE, probability=float(found[classes.index(NONE)]), extras=window)
    best = int(np.argmax(verdict.probabilities))
    return replace(
        alone,
        value=classes[best],
        probability=float(verdict.probabilities[best]),
        extras={**window, "walk": _told(verdict)},
    )


def _told(verdict: Verdict) -> JsonValue:
    return {"from_s": round(verdict.walk.start_s, 2), "to_s": round(verdict.walk.end_s, 2)}
