"""Static profile of a link: what the channel looks like when nothing moves, and how far it is from then.

Level is not in it (the grid stage has removed it): it moves when furniture, antennas or the sender do.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.prediction import JsonValue
from models.signal.grid import SUBCARRIERS
from models.signal.link_buffer import LinkFrames

BANDS = 10
LEAST_SPREAD = 0.02
"""Two percent of amplitude: profiles that are closer than this are one."""
_TINY = 1e-3

Floats = npt.NDArray[np.float64]


def static_profile(part: LinkFrames) -> Floats:
    """Mean log amplitude of a link in one window, in bands of three subcarriers, ``[stream x band]``."""
    amplitude = np.sqrt(part.power).mean(axis=0, dtype=np.float64).reshape(-1, SUBCARRIERS)
    bands = amplitude.reshape(len(amplitude), BANDS, -1).mean(axis=-1)
    return np.asarray(np.log(bands + _TINY), np.float64).ravel()


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """Profile of an empty room: median over windows, and how far these lie from it (root mean square)."""

    mean: Floats
    spread: float

    @classmethod
    def of(cls, seen: Sequence[Floats]) -> "Profile":
        """Profile of windows of one link.

        Raises:
            ValueError: no windows, or the link changed its antennas between them.
        """
        if len({one.shape for one in seen}) != 1:
            raise ValueError("the windows of a profile must be of one number of antennas")
        mean = np.median(np.stack(seen), axis=0)
        return cls(mean, float(np.median([_apart(one, mean) for one in seen])))

    @classmethod
    def from_json(cls, document: JsonValue) -> "Profile | None":
        """The profile in a stored document; None for one that is not ours."""
        if not isinstance(document, Mapping):
            return None
        mean, spread = profile_from_json(document.get("mean")), document.get("spread")
        if mean is None or not isinstance(spread, float) or not math.isfinite(spread) or spread < 0:
            return None
        return cls(mean, spread)

    def to_json(self) -> dict[str, JsonValue]:
        """Document to be stored."""
        return {"mean": profile_to_json(self.mean), "spread": round(self.spread, 6)}

    def spreads_from(self, other: Floats) -> float:
        """How many spreads another profile lies away; infinity where the antennas are others."""
        if other.shape != self.mean.shape:
            return math.inf
        return _apart(other, self.mean) / max(self.spread, LEAST_SPREAD)


def profile_from_json(values: JsonValue) -> Floats | None:
    """Bands of a stored profile; None for what is none."""
    if not isinstance(values, list) or not values:
        return None
    if not all(isinstance(one, int | float) and math.isfinite(one) for one in values):
        return None
    return np.asarray(values, np.float64)


def profile_to_json(profile: Floats) -> list[JsonValue]:
    """Bands, to be stored."""
    return [round(float(one), 4) for one in profile]


def _apart(one: Floats, other: Floats) -> float:
    return float(np.sqrt(np.mean((one - other) ** 2)))
