"""Presence: the motion statistic from day one, refined by an empty-room baseline."""

import hashlib
import math
from collections.abc import Mapping

from models.prediction import JsonValue, ModelRef, Prediction, Reason
from models.signal.baseline import Baseline
from models.signal.motion import Motion, motion
from models.signal.window import Window
from models.tasks.base import Evidence

STATISTIC_THRESHOLD = 0.6
STATISTIC_SCALE = 0.05
"""phi at which a window is as likely occupied as not, and how fast that changes: pure noise gives 0, a walker
nearly 1; between lie slow drift and interference."""
MOVED_THRESHOLD = 0.004
MOVED_SCALE = 0.35
"""Least relative variance of |H|^2 (and its scale in natural logarithm) that a person can be behind; drift of
the electronics in a quiet room is continuous too, but smaller."""

_PARAMETERS = (STATISTIC_THRESHOLD, STATISTIC_SCALE, MOVED_THRESHOLD, MOVED_SCALE)
STATISTIC = ModelRef(
    name="motion-statistic",
    version="1",
    digest=hashlib.sha256(repr(_PARAMETERS).encode()).hexdigest(),
    trained_on="nothing",
)


class Presence:
    """``"occupied"`` or ``"vacant"``; extras `motion` (0..1) and `still` (somebody, but nothing moves)."""

    name = "presence"
    needs_model = False

    def predict(self, evidence: Evidence) -> Prediction:
        """Occupied when any link sees motion."""
        seen = motions(evidence.window)
        if not seen:
            return Prediction.unknown(self.name, Reason.LOW_OCCUPANCY)
        occupied = max(
            probability(found, Baseline.from_json(evidence.baselines.get(link)))
            for link, found in seen.items()
        )
        moving = max(found.statistic for found in seen.values())
        return Prediction(
            task=self.name,
            value="occupied" if occupied >= 0.5 else "vacant",
            probability=max(occupied, 1 - occupied),
            model=STATISTIC,
            extras=_extras(occupied, moving),
        )


def motions(window: Window) -> dict[str, Motion]:
    """Motion of every link that has frames close enough together."""
    found = {part.link: motion(part, window.start_ns, window.end_ns) for part in window.parts}
    return {link: one for link, one in found.items() if one is not None}


def probability(found: Motion, baseline: Baseline | None) -> float:
    """Probability that something a person could cause moves on this link."""
    threshold = STATISTIC_THRESHOLD
    if baseline is not None:
        threshold = min(max(threshold, baseline.statistic + 6 * baseline.spread), 0.95)
    by_statistic = (found.statistic - threshold) / STATISTIC_SCALE
    by_size = math.log(max(found.moved, 1e-9) / MOVED_THRESHOLD) / MOVED_SCALE
    return 1 / (1 + math.exp(-max(min(by_statistic, by_size), -30)))


def _extras(occupied: float, moving: float) -> Mapping[str, JsonValue]:
    return {"motion": round(moving, 3), "still": occupied >= 0.5 > moving}
