"""Empty-room baseline: what the motion statistic looks like in this room when nobody is there.

The statistic needs no baseline. With one, a fan or a curtain that always moves no longer reads as a person,
and a very quiet room notices less: the threshold follows the room.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from models.prediction import JsonValue
from models.signal.motion import Motion

MIN_WINDOWS = 10


@dataclass(frozen=True, slots=True)
class Baseline:
    """Empty-room motion of one link: median of phi, and its spread (a robust standard deviation)."""

    statistic: float
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
        values = np.array([motion.statistic for motion in seen])
        middle = float(np.median(values))
        return cls(middle, 1.4826 * float(np.median(np.abs(values - middle))), len(values))

    @classmethod
    def from_json(cls, document: JsonValue) -> "Baseline | None":
        """The baseline in a stored document; None for one that is not ours."""
        if not isinstance(document, Mapping):
            return None
        numbers = [document.get(name) for name in ("statistic", "spread", "windows")]
        if not all(isinstance(value, int | float) for value in numbers):
            return None
        statistic, spread, windows = (float(value) for value in numbers)  # type: ignore[arg-type]
        return cls(statistic, spread, int(windows))

    def to_json(self) -> dict[str, JsonValue]:
        """Document to be stored."""
        return asdict(self)
