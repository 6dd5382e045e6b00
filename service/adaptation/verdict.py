"""Whether a labelled sample is worth learning from: enough packets, new, and not against what moved.

Pure: it knows clips, labels and earlier samples, no store and no clock.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from models.prediction import JsonValue
from models.signal.baseline import Baseline
from models.signal.clip import Clip, window_ends
from models.signal.view import View
from models.signal.window import MIN_OCCUPANCY, Window, WindowSpec
from models.tasks.presence import log_odds
from service.adaptation.fingerprint import Fingerprint

TOO_FEW, DUPLICATE, CONTRADICTS = "too_few_packets", "duplicate", "motion_contradicts"
NO_MOTION, GAPS, OVERRULED = "no_motion_seen", "gaps", "motion_overruled"
LEAST_GOOD = 0.5
"""Least share of windows with enough packets."""
MOST_SHARED = 0.1
"""Longest overlap with an accepted sample, as a share of the shorter one."""
MOST_ALIKE = 0.2
"""Largest share of the frames of the shorter one that an accepted sample may hold as well, as estimated."""
FINGERPRINT = "fingerprint"
"""In a stored verdict: by what the sample's frames are known again. Nobody is shown it."""
MOST_MOVING = 0.2
"""Largest share of windows that may show motion in what is said to be empty: somebody left or came in."""
LOOKED_AT = 60
"""Motion is looked for in so many windows at most, evenly spread: a long sample keeps nobody waiting."""
_PRESENCE = ("occupied", "vacant")
_COUNT = re.compile(r"0|[1-9][0-9]{0,3}")
_EMPTY = {("presence", "vacant"), ("counting", "0")}
_LONGEST_LABEL = 64


@dataclass(frozen=True, slots=True)
class Labelled:
    """What somebody says about a span of time: of the room, in capture time, or of a file, from its start."""

    task: str
    label: str
    from_ns: int
    to_ns: int
    file: str = ""
    frames: Fingerprint = field(default_factory=Fingerprint)
    good_s: float | None = None
    """Of an accepted sample: seconds with enough packets; None where it was taken before that was known."""

    @property
    def seconds(self) -> float:
        """Its length."""
        return (self.to_ns - self.from_ns) / 1e9

    @property
    def credit_s(self) -> float:
        """Seconds that count in the balance."""
        return self.seconds if self.good_s is None else self.good_s


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found. `reasons` speak against the sample, `warnings` do not; `detail` explains both.

    Attributes:
        windows: with enough packets; `occupancy` is the mean of all that the span should have.
        seconds: of the span; `good_seconds` of them lie in windows with enough packets.
        motion: share of these windows in which something moves; None where it cannot be told.
        balance: good seconds of accepted samples by label, with this one if it is accepted.
        frames: of the span; kept with an accepted sample, and not shown.
    """

    reasons: tuple[str, ...]
    warnings: tuple[str, ...]
    detail: Mapping[str, str]
    windows: int
    seconds: float
    good_seconds: float
    occupancy: float
    motion: float | None
    balance: Mapping[str, float] = field(default_factory=dict)
    frames: Fingerprint = field(default_factory=Fingerprint)

    @property
    def accepted(self) -> bool:
        """Whether it is learned from."""
        return not self.reasons

    def to_json(self) -> dict[str, JsonValue]:
        """As the store keeps it; `shown` is what the API shows of it."""
        known_by: dict[str, JsonValue] = {FINGERPRINT: self.frames.to_text()} if self.accepted else {}
        return {
            "accepted": self.accepted,
            "reasons": list(self.reasons),
            "warnings": list(self.warnings),
            "detail": dict(self.detail),
            "windows": self.windows,
            "seconds": round(self.seconds, 3),
            "good_seconds": round(self.good_seconds, 3),
            "occupancy": round(self.occupancy, 3),
            "motion": None if self.motion is None else round(self.motion, 3),
            "balance": {label: round(seconds, 3) for label, seconds in self.balance.items()},
            **known_by,
        }


def shown(verdict: Mapping[str, Any]) -> dict[str, Any]:
    """What people are shown of a stored verdict."""
    return {name: value for name, value in verdict.items() if name != FINGERPRINT}


def unfit_label(task: str, label: str) -> str | None:
    """Why the task knows no such label; None if it does."""
    if task == "presence" and label not in _PRESENCE:
        return "presence is occupied or vacant"
    if task == "counting" and not _COUNT.fullmatch(label):
        return "counting takes whole numbers from 0 to 9999"
    if not (0 < len(label) <= _LONGEST_LABEL and label.isprintable() and label == label.strip()):
        return f"a label has 1 to {_LONGEST_LABEL} printable characters"
    return None


def judge(
    clip: Clip,
    said: Labelled,
    spec: WindowSpec,
    earlier: Sequence[Labelled],
    baselines: Mapping[str, JsonValue],
    *,
    false_alarm: bool = False,
) -> Verdict:
    """Judge what was recorded in the span against what is said about it.

    Args:
        clip: the frames of the span.
        said: the label.
        spec: how windows are cut.
        earlier: accepted samples of the same room and task.
        baselines: empty-room baselines of the room by link.
        false_alarm: somebody said so of an alert that motion led to. That motion then speaks against nothing:
            it is what is to be learned.
    """
    windows = clip.windows(spec)
    due = len(window_ends(clip.start_ns, clip.end_ns, spec))
    good = [one for one in windows if one.occupancy >= MIN_OCCUPANCY]
    motion = _motion(good, baselines)
    against = _against(said, earlier, len(good), due, motion)
    for_people: dict[str, str] = {}
    if false_alarm and (moves := against.pop(CONTRADICTS, None)):
        for_people[OVERRULED] = f"{moves}; it is taken, because the alert was dismissed as a false alarm"
    if not _is_empty(said) and said.task in {"presence", "counting"} and motion == 0:
        for_people[NO_MOTION] = "somebody is said to be there, and nothing moves"
    if len(good) < due and TOO_FEW not in against:
        for_people[GAPS] = f"{due - len(good)} of {due} windows lack packets"
    good_s = _covered_s(good)
    taken = [] if against else [replace(said, good_s=good_s)]
    return Verdict(
        reasons=tuple(against),
        warnings=tuple(for_people),
        detail={**against, **for_people},
        windows=len(good),
        seconds=said.seconds,
        good_seconds=good_s,
        occupancy=sum(one.occupancy for one in windows) / max(due, 1),
        motion=motion,
        balance=_balance([*earlier, *taken]),
        frames=said.frames,
    )


def _against(
    said: Labelled, earlier: Sequence[Labelled], good: int, due: int, motion: float | None
) -> dict[str, str]:
    """Reasons against a sample with so many good ones among the windows that are due."""
    found: dict[str, str] = {}
    if good < max(1.0, LEAST_GOOD * due):
        found[TOO_FEW] = f"{good} of {due} windows hold enough packets"
    if again := _again(said, earlier):
        found[DUPLICATE] = again
    if _is_empty(said) and motion is not None and motion > MOST_MOVING:
        found[CONTRADICTS] = f"something moves in {motion:.0%} of a span that is said to be empty"
    return found


def _again(said: Labelled, earlier: Sequence[Labelled]) -> str | None:
    """Why it is no further recording beside accepted samples; None if it is one."""
    if any(_shared(said, other) > MOST_SHARED for other in earlier):
        return "an accepted sample of this task covers the same time: delete it first"
    alike = [other for other in earlier if said.frames.shared(other.frames) > MOST_ALIKE]
    if not alike:
        return None
    against = sorted({other.label for other in alike} - {said.label})
    says = f", and says {', '.join(against)} of them" if against else ""
    return f"an accepted sample of this task holds the same frames{says}: delete it first"


def _is_empty(said: Labelled) -> bool:
    return (said.task, said.label) in _EMPTY


def _covered_s(windows: Sequence[Window]) -> float:
    """Seconds that lie in any of these windows, which are in order of time."""
    covered = end_ns = 0
    for window in windows:
        covered += window.end_ns - max(window.start_ns, end_ns)
        end_ns = window.end_ns
    return covered / 1e9


def _balance(samples: Sequence[Labelled]) -> dict[str, float]:
    found: dict[str, float] = {}
    for one in samples:
        found[one.label] = found.get(one.label, 0.0) + one.credit_s
    return dict(sorted(found.items()))


def _motion(windows: Sequence[Window], baselines: Mapping[str, JsonValue]) -> float | None:
    """Share of windows in which the motion statistic of any link sees something move, as presence does."""
    seen = []
    for window in windows[:: -(-len(windows) // LOOKED_AT) or 1]:
        found = View(window).motions
        if found:
            seen.append(
                max(log_odds(one, Baseline.from_json(baselines.get(link))) for link, one in found.items()) > 0
            )
    return sum(seen) / len(seen) if seen else None


def _shared(one: Labelled, other: Labelled) -> float:
    """Time that both cover, as a share of the shorter one."""
    if one.file != other.file:
        return 0.0
    both = min(one.to_ns, other.to_ns) - max(one.from_ns, other.from_ns)
    return both / max(min(one.to_ns - one.from_ns, other.to_ns - other.from_ns), 1)
