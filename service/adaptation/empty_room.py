"""Is the room empty, and what does it look like then? Windows in; baselines of its links, or a refusal, out.

Pure: it knows windows and spans of capture time, no store and no clock. `duration_s` seconds make the
baseline; the minute that follows is held out, and must agree with it.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from drivers.wire import Source
from models.prediction import JsonValue, Prediction
from models.signal.baseline import MIN_WINDOWS, Baseline, quiet_level
from models.signal.motion import Motion
from models.signal.static_profile import Floats, Profile, static_profile
from models.signal.view import View
from models.signal.window import MIN_OCCUPANCY, Window, WindowSpec
from models.tasks.presence import log_odds
from service.state import rfc3339

HOLD_OUT_S: Final = 60.0
FEW_MOVING: Final = 3
"""So many windows may show motion: one that is seen for a moment lies in several windows."""
FEW_BREATHING: Final = 10
LEAST_GOOD: Final = 0.7
"""Least share of windows with enough packets, of the whole span and of each link."""
LEAST_SPREAD: Final = 0.2
"""Held-out motion may always differ by this much (natural logarithm), however steady the room was."""


class RefusedError(Exception):
    """There is no new baseline; `reason` is a word, `detail` a sentence."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason, self.detail = reason, detail


@dataclass(frozen=True, slots=True, eq=False)
class _Look:
    """One link in one window."""

    end_ns: int
    motion: Motion
    profile: Floats


@dataclass(slots=True)
class EmptyRoom:
    """Collects windows from `begin_ns` on (capture time) and judges them when they are complete.

    Attributes:
        baselines: that serve now: what always moved in the empty room, a fan say, may go on.
        source: where the frames come from; None before the first window.
        reached_ns: end of the newest window.
    """

    begin_ns: int
    duration_s: float
    spec: WindowSpec
    baselines: Mapping[str, JsonValue]
    source: Source | None = None
    reached_ns: int = 0
    _windows: int = 0
    _good: int = 0
    _moving: int = 0
    _breathing: int = 0
    _looks: dict[str, list[_Look]] = field(default_factory=lambda: defaultdict(list))

    @property
    def split_ns(self) -> int:
        """Where the held-out minute begins."""
        return self.begin_ns + round(self.duration_s * 1e9)

    @property
    def progress(self) -> float:
        """Share of the span that was seen, 0..1."""
        span_ns = (self.duration_s + HOLD_OUT_S) * 1e9
        return min(max((self.reached_ns - self.begin_ns) / span_ns, 0.0), 1.0)

    @property
    def complete(self) -> bool:
        """Whether the held-out minute is over."""
        return self.reached_ns >= self.split_ns + round(HOLD_OUT_S * 1e9)

    def take(self, window: Window, source: Source, made: Sequence[Prediction]) -> None:
        """Look at the room's next window and at what was said about it.

        Raises:
            RefusedError: the room is not empty, or its frames come from somewhere else now.
        """
        if window.start_ns < self.begin_ns or self.complete:
            return
        if self.source not in {None, source}:
            raise RefusedError(
                "source_changed", f"frames were {self.source and self.source.value}, now {source.value}"
            )
        self.source, self.reached_ns = source, window.end_ns
        self._windows += 1
        if window.occupancy < MIN_OCCUPANCY:
            return
        self._good += 1
        self._look_for_people(made)
        self._look(window)

    def judge(self) -> dict[str, dict[str, JsonValue]]:
        """New baselines by link.

        Raises:
            RefusedError: too few packets, or what was held out does not agree.
        """
        expected = (self.duration_s + HOLD_OUT_S) / self.spec.hop_s
        if self._good < LEAST_GOOD * expected:
            raise RefusedError(
                "low_occupancy",
                f"{self._good} of some {expected:.0f} windows hold enough packets: look at the links' rates",
            )
        found = {link: self._of_link(link, looks) for link, looks in sorted(self._looks.items())}
        known = {link: one for link, one in found.items() if one is not None}
        if not known:
            raise RefusedError("low_occupancy", "no link delivers frames that lie close enough together")
        return known

    def _look_for_people(self, made: Sequence[Prediction]) -> None:
        self._breathing += any("breathing_per_minute" in one.extras for one in made if one.task == "presence")
        if self._breathing > FEW_BREATHING:
            raise RefusedError("breathing_seen", "somebody is still there: breathing is seen")

    def _look(self, window: Window) -> None:
        found = View(window).motions
        moving = [link for link, one in found.items() if self._moves(link, one)]
        if moving:
            self._moving += 1
            if self._moving > FEW_MOVING:
                when = rfc3339(window.end_ns)
                raise RefusedError("motion_seen", f"something moves on link {moving[0]} at {when}")
            return
        for part in window.parts:
            if part.link in found:
                look = _Look(window.end_ns, found[part.link], static_profile(part))
                self._looks[part.link].append(look)

    def _moves(self, link: str, found: Motion) -> bool:
        """More than a person may be taken for, with and without the baseline that serves now."""
        return min(log_odds(found, None), log_odds(found, Baseline.from_json(self.baselines.get(link)))) > 0

    def _of_link(self, link: str, looks: list[_Look]) -> dict[str, JsonValue] | None:
        """The link's baseline, if its hold-out agrees; None for a link that delivers too little."""
        held_from_ns = self.split_ns + round(self.spec.length_s * 1e9)
        seen = [one for one in looks if one.end_ns <= self.split_ns]
        held = [one for one in looks if one.end_ns >= held_from_ns]
        needed = LEAST_GOOD * (self.duration_s - self.spec.length_s) / self.spec.hop_s
        if len(seen) < max(needed, MIN_WINDOWS) or len(held) < MIN_WINDOWS:
            return None
        if len({one.profile.shape for one in looks}) > 1:
            raise RefusedError("antennas_changed", f"link {link} changed its antennas while it was looked at")
        baseline = Baseline.of([one.motion for one in seen])
        _check(link, baseline, [one.motion for one in held])
        return {**baseline.to_json(), "profile": Profile.of([one.profile for one in seen]).to_json()}


def _check(link: str, baseline: Baseline, held: Sequence[Motion]) -> None:
    """See that the held-out minute reads as empty with the new baseline, and moves as little.

    Raises:
        RefusedError: it does not.
    """
    occupied = sum(log_odds(one, baseline) >= 0 for one in held)
    if occupied:
        raise RefusedError(
            "hold_out_occupied",
            f"{occupied} of {len(held)} held-out windows of link {link} read as occupied after it",
        )
    middle = float(np.median([quiet_level(one) for one in held]))
    apart, most = abs(middle - baseline.log_moved), max(baseline.spread, LEAST_SPREAD)
    if apart > most:
        raise RefusedError(
            "not_steady",
            f"motion on link {link} changed by {apart:.2f} (ln) in the held-out minute; at most {most:.2f}",
        )
