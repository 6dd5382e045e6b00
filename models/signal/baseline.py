"""Empty-room baseline: how much moves in this room when nobody is there.

The motion statistic needs no baseline. With one, a fan or a curtain that always moves no longer reads as a
person, and a quiet room notices smaller motion: the threshold follows the room.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from models.prediction import JsonValue
from models.signal.motion import Motion

MIN_WINDOWS = 10
FLOOR = 1e-6
"""Least moved variance that is told apart from none."""
QUIET = 5e-4
"""Least moved variance that a baseline tells apart: thresholds do not follow a room below twice this. In a
quiet room the logarithm of what is left wanders over decades, and would pass for a restless room."""


def quiet_level(found: Motion) -> float:
    """ln(moved variance) of a window, as baselines take it."""
    return math.log(max(found.moved, QUIET))


@dataclass(frozen=True, slots=True)
class Baseline:
    """Empty-room motion of one link: median and robust standard deviation of ln(moved variance)."""

    log_moved: float
    spread: float
    windows: int

    @classmethod
    def of(cls, seen: Sequence[Motion]) -> "Baseline":
        """Baseline from windows of an empty room.

        Raises:
            ValueError: fewer than `MIN_WINDOWS` windows.
        """
        if len(seen) < MIN_WINDOWS:
            raise ValueError(f"an empty-room baseline needs {MIN_WINDOWS} windows, got {len(seen)}")
        values = np.array([quiet_level(one) for one in seen])
        middle = float(np.median(values))
        return cls(middle, 1.4826 * float(np.median(np.abs(values - middle))), len(values))

    @classmethod
    def from_json(cls, document: JsonValue) -> "Baseline | None":
        """The baseline in a stored document; None for one that is not ours."""
        if not isinstance(document, Mapping):
            return None
        log_moved, spread, windows = (document.get(name) for name in ("log_moved", "spread", "windows"))
        if not isinstance(log_moved, float) or not isinstance(spread, float) or not isinstance(windows, int):
            return None
        if not math.isfinite(log_moved) or not math.isfinite(spread) or spread < 0:
            return None
        return cls(log_moved, spread, windows)

    def to_json(self) -> dict[str, JsonValue]:
        """Document to be stored."""
        return asdict(self)
