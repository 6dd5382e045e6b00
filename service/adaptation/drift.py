"""How far a link's quiet has wandered from its empty-room baseline, between two calibrations.

An exponential track of the quietest windows. Only windows below the threshold of the *calibrated* baseline
count, in a room where nobody is seen, so the track never takes in an occupied level; and it moves what is
served by a factor of two at most. What is above the threshold all the time is told by `loud_s`.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from models.prediction import JsonValue
from models.signal.baseline import Baseline, quiet_level
from models.signal.motion import Motion
from models.signal.static_profile import Floats, Profile, profile_from_json, profile_to_json
from models.tasks.presence import BASELINE_MARGIN, log_odds, log_threshold

LOOK_S: Final = 5.0
"""One window in so many seconds is looked at."""
BLOCK_S: Final = 300.0
LEAST_QUIET: Final = 20
"""A block with fewer quiet windows says nothing."""
TIME_CONSTANT_S: Final = 1800.0
MOST_MOVED: Final = BASELINE_MARGIN
"""The served floor stays this close to the calibrated one (natural logarithm)."""
PROFILE_SPREADS: Final = 10.0
"""The static profile has changed for good at so many spreads."""
LOUD_S: Final = 86400.0
"""A link without one still window for this long has outgrown its baseline."""
_QUIETEST = 0.25
_QUARTILE_SPREADS = 0.6745
"""A quartile of normal values lies so many standard deviations below the median."""


@dataclass(slots=True)
class Track:
    """Of one link, since its baseline was made (`made_ns`, None where nobody wrote it down).

    Attributes:
        floor: tracked ln(moved variance) of quiet windows.
        profile: tracked static profile; None until one was seen, or where the baseline has none.
        loud_s: how long no window was still.
    """

    baseline: Baseline
    calibrated_profile: Profile | None
    made_ns: int | None
    floor: float
    profile: Floats | None = None
    loud_s: float = 0.0
    _seen: int = 0
    _still: int = 0
    _quiet: list[float] = field(default_factory=list)
    _profiles: list[Floats] = field(default_factory=list)

    @classmethod
    def of(cls, document: JsonValue) -> "Track | None":
        """The track of a stored baseline, where it was left; None for what is no baseline."""
        baseline = Baseline.from_json(document)
        if baseline is None or not isinstance(document, Mapping):
            return None
        made = document.get("made_ns")
        track = cls(
            baseline,
            Profile.from_json(document.get("profile")),
            made if isinstance(made, int) else None,
            baseline.log_moved,
        )
        track._resume(document.get("track"))
        return track

    def take(self, found: Motion, profile: Floats, *, empty: bool) -> bool:
        """Look at one window, `LOOK_S` after the last; True when a block is over and the score may change.

        Args:
            found: what moves.
            profile: the static profile.
            empty: whether nobody is seen in the room, on any link.
        """
        self._seen += 1
        still = log_odds(found, self.baseline) < 0
        self._still += still
        if still and empty:
            self._quiet.append(quiet_level(found))
            self._profiles.append(profile)
        if self._seen < BLOCK_S / LOOK_S:
            return False
        self._end_block()
        return True

    def served(self) -> float:
        """The floor that predictions are made with."""
        low, high = self.baseline.log_moved - MOST_MOVED, self.baseline.log_moved + MOST_MOVED
        return min(max(self.floor, low), high)

    def score(self) -> float:
        """0: as calibrated; 1: an empty room would read as occupied, or the channel is another one."""
        reach = max(log_threshold(self.baseline) - self.baseline.log_moved, BASELINE_MARGIN)
        shares = [abs(self.floor - self.baseline.log_moved) / reach, self.loud_s / LOUD_S]
        if self.profile is not None and self.calibrated_profile is not None:
            shares.append(self.calibrated_profile.spreads_from(self.profile) / PROFILE_SPREADS)
        return min(max(shares), 1.0)

    def to_json(self) -> dict[str, JsonValue]:
        """What a restart must remember, stored in the baseline's document as `track`."""
        profile = None if self.profile is None else profile_to_json(self.profile)
        return {"log_moved": self.floor, "profile": profile, "loud_s": self.loud_s}

    def _resume(self, stored: JsonValue) -> None:
        if not isinstance(stored, Mapping):
            return
        floor, loud_s = stored.get("log_moved"), stored.get("loud_s")
        if isinstance(floor, float) and math.isfinite(floor):
            self.floor = floor
        if isinstance(loud_s, float) and math.isfinite(loud_s):
            self.loud_s = max(loud_s, 0.0)
        self.profile = profile_from_json(stored.get("profile"))

    def _end_block(self) -> None:
        quiet, profiles, still = self._quiet, self._profiles, self._still
        self._seen, self._still, self._quiet, self._profiles = 0, 0, [], []
        self.loud_s = 0.0 if still else min(self.loud_s + BLOCK_S, LOUD_S)
        if len(quiet) < LEAST_QUIET:
            return
        share = 1 - math.exp(-BLOCK_S / TIME_CONSTANT_S)
        middle = float(np.quantile(quiet, _QUIETEST)) + _QUARTILE_SPREADS * self.baseline.spread
        self.floor += share * (middle - self.floor)
        self._follow_profile(profiles, share)

    def _follow_profile(self, profiles: list[Floats], share: float) -> None:
        if self.calibrated_profile is None:
            return
        latest = [one for one in profiles if one.shape == profiles[-1].shape]
        seen = np.median(np.stack(latest), axis=0)
        before = self.calibrated_profile.mean if self.profile is None else self.profile
        self.profile = seen if seen.shape != before.shape else before + share * (seen - before)
