"""Is the room empty, and what does it look like then? Windows in; baselines of its links, or a refusal, out.

Pure: it knows windows and spans of capture time, no store and no clock. `duration_s` seconds make the
baseline; the minute that follows is held out, and must agree with it.

A window is looked at only if it tells that nobody is there: the motion statistic is known and still, and the
models neither fail nor see anybody. An error is no empty room.
"""

import math
from collections import Counter, defaultdict
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
from service.adaptation.witnesses import Doubt, people_seen, presence_silent
from service.state import rfc3339

HOLD_OUT_S: Final = 60.0
FEW: Final = {
    "motion_seen": 3,
    "breathing_seen": 10,
    "occupied_seen": 10,
    "people_counted": 10,
    "link_roamed": 10,
}
"""So many windows may be left out for it: what is seen for a moment lies in several windows."""
LEARNED: Final = ("occupied_seen", "people_counted")
MOST_LEARNED: Final = 0.05
"""What learned models see may also be left out for so large a share of a long look: they err now and then."""
LEAST_GOOD: Final = 0.7
"""Least share of windows that tell of an empty room, of the whole span and of each link."""
LEAST_SPREAD: Final = 0.2
"""Held-out motion may always differ by this much (natural logarithm), however steady the room was."""
_THIN: Final = Doubt("low_occupancy", "too few packets lie close enough together: look at the links' rates")


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
        roamed: links that follow another sender since `begin_ns`: they are other channels now, and get no
            baseline.
    """

    begin_ns: int
    duration_s: float
    spec: WindowSpec
    baselines: Mapping[str, JsonValue]
    source: Source | None = None
    reached_ns: int = 0
    roamed: set[str] = field(default_factory=set)
    _good: int = 0
    _left_out: list[Doubt] = field(default_factory=list)
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
            RefusedError: the room is not empty, too little of it is known, or its frames come from somewhere
                else now.
        """
        if window.start_ns < self.begin_ns or self.complete:
            return
        if self.source not in {None, source}:
            raise RefusedError(
                "source_changed", f"frames were {self.source and self.source.value}, now {source.value}"
            )
        self.source, self.reached_ns = source, window.end_ns
        found = self._motions(window)
        doubt = self._doubt(window, found, made)
        if doubt is None:
            self._look(window, found)
        else:
            self._leave_out(doubt)

    def judge(self) -> dict[str, dict[str, JsonValue]]:
        """New baselines by link.

        Raises:
            RefusedError: too little is known, or what was held out does not agree.
        """
        if self._good < LEAST_GOOD * self._expected:
            raise self._shortage()
        looks = {link: found for link, found in sorted(self._looks.items()) if link not in self.roamed}
        found = {link: self._of_link(link, seen) for link, seen in looks.items()}
        known = {link: one for link, one in found.items() if one is not None}
        if not known:
            raise RefusedError(*self._roam()) if self.roamed else self._shortage()
        return known

    @property
    def _expected(self) -> float:
        """About how many windows there are in all."""
        return (self.duration_s + HOLD_OUT_S) / self.spec.hop_s

    def _motions(self, window: Window) -> dict[str, Motion]:
        """What moves on links that may get a baseline; with too few packets nothing is known."""
        if window.occupancy < MIN_OCCUPANCY:
            return {}
        return {link: one for link, one in View(window).motions.items() if link not in self.roamed}

    def _doubt(self, window: Window, found: Mapping[str, Motion], made: Sequence[Prediction]) -> Doubt | None:
        """Why the window does not show an empty room; None where it does."""
        if window.occupancy < MIN_OCCUPANCY:
            return _THIN
        odds = {link: self._odds(link, one) for link, one in found.items()}
        moving = [link for link, one in odds.items() if min(one) > 0]
        if moving:
            return Doubt("motion_seen", f"something moves on link {moving[0]} at {rfc3339(window.end_ns)}")
        seen = people_seen(made, _by_baseline(list(odds.values())))
        if seen is not None:
            return seen
        if not found:
            return self._roam() if self.roamed else _THIN
        return presence_silent(made)

    def _odds(self, link: str, found: Motion) -> tuple[float, float]:
        """Log-odds of motion with the baseline that serves now, and without."""
        return log_odds(found, Baseline.from_json(self.baselines.get(link))), log_odds(found, None)

    def _roam(self) -> Doubt:
        links = ", ".join(sorted(self.roamed))
        return Doubt("link_roamed", f"link {links} follows another sender now: begin again")

    def _leave_out(self, doubt: Doubt) -> None:
        """Note a window that shows no empty room.

        Raises:
            RefusedError: there are too many of them.
        """
        self._left_out.append(doubt)
        alike = sum(one.reason == doubt.reason for one in self._left_out)
        share = MOST_LEARNED * self._expected if doubt.reason in LEARNED else 0.0
        if alike > max(FEW.get(doubt.reason, math.inf), share):
            raise RefusedError(*doubt)
        if len(self._left_out) > (1 - LEAST_GOOD) * self._expected:
            raise self._shortage()

    def _shortage(self) -> RefusedError:
        """What the windows lack that could not be used so far; those that never came lack packets."""
        lost = [one for one in self._left_out if one.reason not in FEW]
        due = round((self.reached_ns - self.begin_ns) / 1e9 / self.spec.hop_s)
        lost += [_THIN] * max(due - self._good - len(self._left_out), 1)
        reason, _ = Counter(one.reason for one in lost).most_common(1)[0]
        detail = next(one.detail for one in lost if one.reason == reason)
        known = f"{self._good} of some {self._expected:.0f} windows tell of an empty room"
        return RefusedError(reason, f"only {known}, or too few of each link: {detail}")

    def _look(self, window: Window, found: Mapping[str, Motion]) -> None:
        self._good += 1
        for part in window.parts:
            if part.link in found:
                look = _Look(window.end_ns, found[part.link], static_profile(part))
                self._looks[part.link].append(look)

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


def _by_baseline(odds: Sequence[tuple[float, float]]) -> float:
    """By how much the baselines that serve now raise the log-odds that something moves in the room."""
    if not odds:
        return 0.0
    return max(served for served, _ in odds) - max(min(one) for one in odds)


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
