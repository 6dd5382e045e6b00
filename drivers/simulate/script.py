"""What one person does when: a script of activities, one after the other."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from drivers.simulate.activity import GET_UP_S, MANNERS, ON_FOOT, Activity, Posture
from drivers.simulate.schedule import span_seconds


@dataclass(frozen=True, slots=True)
class Act:
    """One activity from `from_s` to `to_s`, seconds of the simulation."""

    from_s: float
    to_s: float
    activity: Activity


@dataclass(frozen=True, slots=True)
class Script:
    """What one person does, act after act without a gap.

    Raises:
        ValueError: no act, a gap, an act too short, or one that cannot follow the one before: nobody sits
            who did not sit down, and people come and go on foot. Whoever is there at the start of the
            simulation may begin in any posture.
    """

    acts: tuple[Act, ...]

    def __post_init__(self) -> None:
        if not self.acts:
            raise ValueError("a script needs at least one act")
        for before, act in zip((None, *self.acts), self.acts, strict=False):
            _check_act(act)
            if before is not None:
                _check_order(before, act)
        if self.acts[0].from_s > 0:
            _check_order(Act(0.0, self.acts[0].from_s, Activity.VACANT), self.acts[0])

    @classmethod
    def of(cls, spans: Sequence[tuple[float, str]], *, from_s: float = 0.0) -> "Script":
        """A script of ``(seconds, activity)`` one after the other, beginning at `from_s`."""
        acts, now = [], from_s
        for seconds, name in spans:
            acts.append(Act(now, now + seconds, _activity(name)))
            now += seconds
        return cls(tuple(acts))

    @classmethod
    def parse(cls, text: str) -> "Script":
        """A script as people write it: ``10s:walking,3s:falling,20s:lying``.

        Raises:
            ValueError: it is none; the message names the part that does not fit.
        """
        spans = []
        for part in text.split(","):
            length, colon, name = part.partition(":")
            seconds = span_seconds(length) if colon else None
            if seconds is None:
                raise ValueError(f"{part!r} is not an act such as 10s:walking or 1m:sitting")
            spans.append((seconds, name.strip()))
        return cls.of(spans)

    @property
    def enter_s(self) -> float:
        """When it begins."""
        return self.acts[0].from_s

    @property
    def leave_s(self) -> float:
        """When it ends."""
        return self.acts[-1].to_s

    def stays(self) -> list["Script"]:
        """The parts between absences: a script each, none of them with `VACANT` in it."""
        parts: list[list[Act]] = [[]]
        for act in self.acts:
            if act.activity is Activity.VACANT:
                parts.append([])
            else:
                parts[-1].append(act)
        return [Script(tuple(part)) for part in parts if part]

    def merged(self) -> tuple[Act, ...]:
        """Acts with equal neighbours joined."""
        joined: list[Act] = []
        for act in self.acts:
            if joined and joined[-1].activity is act.activity:
                joined[-1] = replace(joined[-1], to_s=act.to_s)
            else:
                joined.append(act)
        return tuple(joined)


def _activity(name: str) -> Activity:
    if name not in set(Activity):
        raise ValueError(f"{name!r} is no activity; there are: {', '.join(Activity)}")
    return Activity(name)


def _check_act(act: Act) -> None:
    least = MANNERS[act.activity].least_s if act.activity in MANNERS else 0.0
    if act.from_s < 0 or not act.to_s - act.from_s > max(least - 1e-6, 0):
        raise ValueError(f"{act.activity} from {act.from_s:g} s to {act.to_s:g} s is too short: {least:g} s")


def _check_order(before: Act, act: Act) -> None:
    """Complain unless `act` can follow `before`."""
    if abs(before.to_s - act.from_s) > 1e-6:
        raise ValueError(f"{before.activity} ends at {before.to_s:g} s, not where {act.activity} begins")
    if Activity.VACANT in (before.activity, act.activity):
        other = act if before.activity is Activity.VACANT else before
        if other.activity is not Activity.VACANT and other.activity not in ON_FOOT:
            raise ValueError(f"people come and go on foot, not {other.activity} (at {act.from_s:g} s)")
        return
    held = MANNERS[before.activity].after
    if held is Posture.LYING and act.activity is Activity.STAND_UP and act.to_s - act.from_s < GET_UP_S:
        raise ValueError(f"nobody gets up from the floor in less than {GET_UP_S:g} s ({act.from_s:g} s)")
    if held not in MANNERS[act.activity].before:
        wanted = " or ".join(posture.name.lower() for posture in MANNERS[act.activity].before)
        ends = f"{before.activity} ends {held.name.lower()}"
        raise ValueError(f"{act.activity} at {act.from_s:g} s begins {wanted}, but {ends}")
