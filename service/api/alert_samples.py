"""What people say about an alert becomes a labelled sample of the room's last minutes, where they hold it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from service.adaptation.upload import LONGEST_S
from service.api.context import Context
from service.api.problems import Problem
from service.api.sampling import take_live, window_spec
from service.state import unix_ns
from service.store.samples import Asked, Sample, document

_MILLISECOND_NS = 1_000_000
NOT_ABOUT_FRAMES = "what it is about was not measured in frames, so there is nothing to label"


@dataclass(frozen=True, slots=True)
class Labelled:
    """What became of a label: the sample with its verdict, or why there is none."""

    sample: Sample | None
    reason: str | None = None

    def to_json(self) -> dict[str, Any]:
        """As answers show it."""
        return {"sample": None if self.sample is None else document(self.sample), "reason": self.reason}

    def note(self) -> dict[str, Any]:
        """As it is kept with the alert or the screening."""
        return {"sample": None if self.sample is None else self.sample.sample, "reason": self.reason}


async def label_span(context: Context, asked: Asked, from_ns: int | None, to_ns: int | None) -> Labelled:
    """Have the newest part of a span labelled, as far as it is in memory; `asked` without its span."""
    if from_ns is None or to_ns is None:
        return Labelled(None, NOT_ABOUT_FRAMES)
    try:
        return await _ask(context, asked, from_ns, to_ns)
    except Problem as problem:
        there = _held(problem.extra, from_ns, to_ns)
        if there is None:
            return Labelled(None, problem.detail)
    try:
        return await _ask(context, asked, *there)
    except Problem as problem:
        return Labelled(None, problem.detail)


async def _ask(context: Context, asked: Asked, from_ns: int, to_ns: int) -> Labelled:
    spec = window_spec(context)
    short_ns = round((spec.length_s + spec.hop_s) * 1e9) - (to_ns - from_ns)
    if short_ns > 0:  # a short walk: with what is around it
        from_ns, to_ns = from_ns - short_ns // 2, to_ns + short_ns // 2
    span = replace(asked, from_ns=max(from_ns, to_ns - round(LONGEST_S * 1e9)), to_ns=to_ns)
    sample = await take_live(context, span, None)
    if sample.verdict.get("accepted"):
        return Labelled(sample)
    return Labelled(sample, f"the sample was rejected: {', '.join(sample.verdict['reasons'])}")


def _held(extra: Mapping[str, Any], from_ns: int, to_ns: int) -> tuple[int, int] | None:
    """The part of the span that the refusal says is in memory; None if there is none."""
    held = extra.get("held")
    if not held:
        return None
    first = max(from_ns, unix_ns(held["from"]) + _MILLISECOND_NS)
    last = min(to_ns, unix_ns(held["to"]) - _MILLISECOND_NS)
    return (first, last) if last > first else None
