"""How many people are in a room when, and who comes and goes."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

MAX_PEOPLE = 50
DEFAULT_SPAN_S = 20.0


@dataclass(frozen=True, slots=True)
class Schedule:
    """Spans ``(seconds, people)`` one after the other.

    Raises:
        ValueError: no span, a length that is not positive, or a number of people outside 0..50.
    """

    spans: tuple[tuple[float, int], ...]

    def __post_init__(self) -> None:
        if not self.spans:
            raise ValueError("a schedule needs at least one span")
        for seconds, people in self.spans:
            if not seconds > 0:
                raise ValueError(f"a span of {seconds:g} s has no length")
            if not 0 <= people <= MAX_PEOPLE:
                raise ValueError(f"{people} people are outside 0..{MAX_PEOPLE}")

    @classmethod
    def parse(cls, text: str) -> "Schedule":
        """A schedule as people write it: ``20s:0,1m:2`` or, with 20 s each, ``0-2-0``.

        Raises:
            ValueError: it is neither; the message names the part that does not fit.
        """
        if ":" not in text:
            return cls(tuple((DEFAULT_SPAN_S, _people(part)) for part in re.split("[-,]", text)))
        spans = []
        for part in text.split(","):
            length, colon, people = part.partition(":")
            seconds = span_seconds(length)
            if not colon or seconds is None:
                raise ValueError(f"{part!r} is not a span such as 30s:2 or 2m:0")
            spans.append((seconds, _people(people)))
        return cls(tuple(spans))

    @property
    def seconds(self) -> float:
        """Length of the whole schedule."""
        return sum(seconds for seconds, _ in self.spans)

    def stays(self) -> list[tuple[float, float]]:
        """(enters, leaves) of everybody, seconds; whoever came first leaves first."""
        inside: list[float] = []
        stays: list[tuple[float, float]] = []
        now = 0.0
        for seconds, people in self.spans:
            while len(inside) > people:
                stays.append((inside.pop(0), now))
            inside += [now] * (people - len(inside))
            now += seconds
        # Whoever is still there at the end stays beyond it, so that nobody fades out in the last second.
        return sorted(stays + [(entered, float("inf")) for entered in inside])

    def intervals(self) -> list[tuple[float, float, int]]:
        """(from, to, people) with equal neighbours merged, seconds."""
        merged: list[tuple[float, float, int]] = []
        now = 0.0
        for seconds, people in self.spans:
            if merged and merged[-1][2] == people:
                merged[-1] = (merged[-1][0], now + seconds, people)
            else:
                merged.append((now, now + seconds, people))
            now += seconds
        return merged


def span_seconds(text: str) -> float | None:
    """Seconds of a length such as ``20s``, ``1.5m``, ``1h`` or ``20``; None if it is none."""
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(s|m|h|)\s*", text)
    return None if match is None else float(match[1]) * {"": 1, "s": 1, "m": 60, "h": 3600}[match[2]]


def _people(text: str) -> int:
    if not re.fullmatch(r"\s*\d{1,4}\s*", text):
        raise ValueError(f"{text!r} is not a number of people")
    return int(text)


def constant(people: int, seconds: float) -> Schedule:
    """`people` in the room for `seconds`."""
    return Schedule(((seconds, people),))


def people_at(intervals: Sequence[tuple[float, float, int]], time_s: float) -> int:
    """People inside at `time_s`; 0 outside the intervals."""
    return next((people for start, end, people in intervals if start <= time_s < end), 0)
