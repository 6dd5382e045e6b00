"""Whether a labelled sample is worth learning from: enough packets, new, and not against what moved.

Pure: it knows clips, labels and earlier samples, no store and no clock.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from models.prediction import JsonValue
from models.signal.baseline import Baseline
from models.signal.clip import Clip
from models.signal.view import View
from models.signal.window import MIN_OCCUPANCY, Window, WindowSpec
from models.tasks.presence import log_odds

TOO_FEW, DUPLICATE, CONTRADICTS = "too_few_packets", "duplicate", "motion_contradicts"
NO_MOTION, GAPS, OVERRULED = "no_motion_seen", "gaps", "motion_overruled"
LEAST_GOOD = 0.5
"""Least share of windows with enough packets."""
MOST_SHARED = 0.1
"""Longest overlap with an accepted sample, as a share of the shorter one."""
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

    @property
    def seconds(self) -> float:
        """Its length."""
        return (self.to_ns - self.from_ns) / 1e9


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found. `reasons` speak against the sample, `warnings` do not; `detail` explains both.

    Attributes:
        windows: with enough packets; `occupancy` is the mean of all.
        motion: share of these windows in which something moves; None where it cannot be told.
        balance: seconds of accepted samples by label, with this one if it is accepted.
    """

    reasons: tuple[str, ...]
    warnings: tuple[str, ...]
    detail: Mapping[str, str]
    windows: int
    seconds: float
    occupancy: float
    motion: float | None
    balance: Mapping[str, float] = field(default_factory=dict)

    @property
    def accepted(self) -> bool:
        """Whether it is learned from."""
        return not self.reasons

    def to_json(self) -> dict[str, JsonValue]:
        """As the store keeps it and the API shows it."""
        return {
            "accepted": self.accepted,
            "reasons": list(self.reasons),
            "warnings": list(self.warnings),
            "detail": dict(self.detail),
            "windows": self.windows,
            "seconds": round(self.seconds, 3),
            "occupancy": round(self.occupancy, 3),
            "motion": None if self.motion is None else round(self.motion, 3),
            "balance": {label: round(seconds, 3) for label, seconds in self.balance.items()},
        }


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
    good = [one for one in windows if one.occupancy >= MIN_OCCUPANCY]
    motion = _motion(good, baselines)
    against: dict[str, str] = {}
    if len(good) < max(1.0, LEAST_GOOD * len(windows)):
        against[TOO_FEW] = f"{len(good)} of {len(windows)} windows hold enough packets"
    if any(_shared(said, other) > MOST_SHARED for other in earlier):
        against[DUPLICATE] = "an accepted sample of this task covers the same time: delete it first"
    empty = (said.task, said.label) in _EMPTY
    if empty and motion is not None and motion > MOST_MOVING:
        against[CONTRADICTS] = f"something moves in {motion:.0%} of a span that is said to be empty"
    for_people: dict[str, str] = {}
    if false_alarm and (moves := against.pop(CONTRADICTS, None)):
        for_people[OVERRULED] = f"{moves}; it is taken, because the alert was dismissed as a false alarm"
    if not empty and said.task in {"presence", "counting"} and motion == 0:
        for_people[NO_MOTION] = "somebody is said to be there, and nothing moves"
    if len(good) < len(windows) and TOO_FEW not in against:
        for_people[GAPS] = f"{len(windows) - len(good)} of {len(windows)} windows lack packets"
    balance: dict[str, float] = {}
    for one in [*earlier, *([] if against else [said])]:
        balance[one.label] = balance.get(one.label, 0.0) + one.seconds
    return Verdict(
        reasons=tuple(against),
        warnings=tuple(for_people),
        detail={**against, **for_people},
        windows=len(good),
        seconds=said.seconds,
        occupancy=sum(one.occupancy for one in windows) / len(windows) if windows else 0.0,
        motion=motion,
        balance=dict(sorted(balance.items())),
    )


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
