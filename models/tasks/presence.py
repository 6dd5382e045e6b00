"""Presence: the motion statistic from day one, refined by an empty-room baseline and a learned classifier."""

import hashlib
import math
from collections.abc import Mapping

import numpy as np

from models.prediction import JsonValue, ModelRef, Prediction, Reason
from models.signal.baseline import FLOOR, Baseline
from models.signal.breathing import Breathing
from models.signal.motion import Motion
from models.tasks.base import Evidence, Reader, View
from models.tasks.decode import probabilities
from models.tasks.fusion import shared

MOVED_THRESHOLD = 0.005
MOVED_SCALE = 0.4
"""Relative variance of |H|^2, as far as it is continuous in time, at which a window is as likely occupied as
not, and how fast (in natural logarithm) that changes: drift stays below, a walker is far above."""
STATISTIC_THRESHOLD = 0.15
STATISTIC_SCALE = 0.04
"""The same for phi: below it the variance is noise whatever its size."""
BASELINE_SPREADS = 6.0
BASELINE_MARGIN = 0.7
BASELINE_RANGE = (math.log(0.001), math.log(0.1))
"""With a baseline the threshold lies this many spreads and this margin (ln 2) above it, within this range."""
CERTAIN = 8.0
"""Largest log-odds one witness may claim, so that neither can outvote the other for good."""
_STILL = 0.5
BREATHING_ODDS = 2.0
"""Log-odds that somebody is there when breathing is seen, however little else moves."""

_PARAMETERS = (MOVED_THRESHOLD, MOVED_SCALE, STATISTIC_THRESHOLD, STATISTIC_SCALE)
STATISTIC = ModelRef(
    name="motion-statistic",
    version="1",
    digest=hashlib.sha256(repr(_PARAMETERS).encode()).hexdigest(),
    trained_on="nothing",
)


class Presence:
    """``"occupied"`` or ``"vacant"``; extras `motion` (0..1) and `still` (somebody, hardly any motion).

    With a memory also `breathing_per_minute`, where somebody is seen to breathe.
    """

    name = "presence"
    needs_model = False

    def predict(self, evidence: Evidence) -> Prediction:
        """Occupied when any link sees motion; a learned classifier, where one fits, has an equal say."""
        seen = evidence.view.motions
        if not seen:
            return Prediction.unknown(self.name, Reason.LOW_OCCUPANCY)
        alone = {
            link: log_odds(found, Baseline.from_json(evidence.baselines.get(link)))
            for link, found in seen.items()
        }
        odds, model = max(alone.values()), STATISTIC
        if evidence.model is not None:
            odds = (odds + _learned(evidence.model, evidence.view)) / 2
            model = evidence.model.ref
        breaths = evidence.memory.breathing(evidence.view) if evidence.memory is not None else {}
        if breaths:
            odds = max(odds, BREATHING_ODDS)
        occupied = 1 / (1 + math.exp(-odds))
        return Prediction(
            task=self.name,
            value="occupied" if occupied >= 0.5 else "vacant",
            probability=max(occupied, 1 - occupied),
            model=model,
            extras={
                **_extras(occupied, max(found.statistic for found in seen.values())),
                **_breathing(breaths),
                **shared(odds >= 0, [one >= 0 for one in alone.values()]),
            },
        )


def log_odds(found: Motion, baseline: Baseline | None) -> float:
    """Log-odds that something a person could cause moves on this link."""
    by_size = (math.log(max(found.moved, FLOOR)) - log_threshold(baseline)) / MOVED_SCALE
    by_statistic = (found.statistic - STATISTIC_THRESHOLD) / STATISTIC_SCALE
    return min(max(min(by_size, by_statistic), -CERTAIN), CERTAIN)


def log_threshold(baseline: Baseline | None) -> float:
    """ln(moved variance) at which a window is as likely occupied as not."""
    if baseline is None:
        return math.log(MOVED_THRESHOLD)
    above = baseline.log_moved + BASELINE_SPREADS * baseline.spread + BASELINE_MARGIN
    return min(max(above, BASELINE_RANGE[0]), BASELINE_RANGE[1])


def _learned(model: Reader, view: View) -> float:
    """Log-odds of the learned classifier.

    Raises:
        FloatingPointError: the model gave no number.
    """
    logits = model.read(view)
    if logits is None:
        return 0.0
    if not np.isfinite(logits).all():
        raise FloatingPointError(f"model {model.card.name} gave {logits}")
    card = model.card
    occupied = float(probabilities(logits, card.output, card.calibration["temperature"])[1])
    return float(np.clip(math.log(max(occupied, 1e-9) / max(1 - occupied, 1e-9)), -CERTAIN, CERTAIN))


def _breathing(breaths: Mapping[str, Breathing]) -> Mapping[str, JsonValue]:
    """The rate on the link where it stands out most; nothing where nobody is seen to breathe."""
    if not breaths:
        return {}
    best = max(breaths.values(), key=lambda one: one.share)
    return {"breathing_per_minute": round(best.per_minute, 1)}


def _extras(occupied: float, moving: float) -> Mapping[str, JsonValue]:
    return {"motion": round(moving, 3), "still": occupied >= 0.5 and moving < _STILL}
