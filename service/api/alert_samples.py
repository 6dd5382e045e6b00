"""What people say about an alert becomes a labelled sample of the room's last minutes, where they hold it."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import anyio.to_thread

from service.adaptation.upload import LONGEST_S
from service.api.context import Context
from service.api.problems import Problem
from service.api.sampling import take_live, window_spec
from service.state import unix_ns
from service.store.samples import Asked, Sample, document
from service.store.standing import standing_of

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
    standing = await anyio.to_thread.run_sync(standing_of, context.store, asked.room)
    if standing is None:
        return Labelled(None, f"room {asked.room} was deleted meanwhile")
    asked, spec = replace(asked, standing=standing), window_spec(context)
    least_ns = round((spec.length_s + spec.hop_s) * 1e9)
    wanted = Span(from_ns, to_ns).newest(least_ns)
    try:
        return await _ask(context, asked, wanted)
    except Problem as problem:
        held = problem.extra.get("held")
        there = wanted.within(_held(held), least_ns) if held else None
        if there is None:
            return Labelled(None, problem.detail)
    try:
        return await _ask(context, asked, there)
    except Problem as problem:
        return Labelled(None, problem.detail)


class Span(NamedTuple):
    """[from_ns, to_ns) in capture time."""

    from_ns: int
    to_ns: int

    def newest(self, least_ns: int) -> "Span":
        """What a sample may hold of it; of a short one with so much before it that a window fits."""
        longest = self.to_ns - round(LONGEST_S * 1e9)
        return Span(max(min(self.from_ns, self.to_ns - least_ns), longest), self.to_ns)

    def within(self, held: "Span", least_ns: int) -> "Span | None":
        """What is held of it, with what came after where that is short; None if nothing is."""
        from_ns, to_ns = max(self.from_ns, held.from_ns), min(self.to_ns, held.to_ns)
        if to_ns <= from_ns:
            return None
        from_ns = max(min(from_ns, to_ns - least_ns), held.from_ns)
        return Span(from_ns, min(max(to_ns, from_ns + least_ns), held.to_ns))


async def _ask(context: Context, asked: Asked, span: Span) -> Labelled:
    sample = await take_live(context, replace(asked, from_ns=span.from_ns, to_ns=span.to_ns), None)
    if sample.verdict.get("accepted"):
        return Labelled(sample)
    return Labelled(sample, f"the sample was rejected: {', '.join(sample.verdict['reasons'])}")


def _held(told: Mapping[str, str]) -> Span:
    """The span that a refusal names, less the milliseconds that its times are rounded to."""
    return Span(unix_ns(told["from"]) + _MILLISECOND_NS, unix_ns(told["to"]) - _MILLISECOND_NS)
