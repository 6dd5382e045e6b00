"""Random scripts: what one person might do in a minute or more, every activity as often as the others."""

from collections.abc import Callable, Sequence

import numpy as np

from drivers.simulate.script import Script

Spans = list[tuple[float, str]]


def _alone(name: str, shortest: float, longest: float) -> Callable[[np.random.Generator], Spans]:
    """An activity from upright to upright."""

    def drawn(rng: np.random.Generator) -> Spans:
        return [(float(rng.uniform(shortest, longest)), name)]

    return drawn


def _sitting(rng: np.random.Generator) -> Spans:
    sits = float(rng.uniform(8, 15))
    return [(float(rng.uniform(2.5, 3.5)), "sit_down"), (sits, "sitting"), (3.0, "stand_up")]


def _falling(rng: np.random.Generator) -> Spans:
    lies = float(rng.uniform(8, 15))
    return [(float(rng.uniform(2, 3)), "falling"), (lies, "lying"), (5.0, "stand_up")]


def _vacant(rng: np.random.Generator) -> Spans:
    out, back = rng.uniform(6, 10, 2)
    return [(float(out), "walking"), (float(rng.uniform(8, 15)), "vacant"), (float(back), "walking")]


EPISODES: dict[str, Callable[[np.random.Generator], Spans]] = {
    "walking": _alone("walking", 8, 15),
    "strolling": _alone("strolling", 8, 15),
    "standing": _alone("standing", 8, 15),
    "waving": _alone("waving", 6, 12),
    "sitting": _sitting,
    "falling": _falling,
    "vacant": _vacant,
}
"""What can be put one after the other, upright from end to end: sitting brings sitting down and standing up
with it, falling brings lying and getting up, and before and after an absence people walk."""


def random_script(rng: np.random.Generator, seconds: float, episodes: Sequence[str] = ()) -> Script:
    """A script of at least `seconds`.

    Args:
        rng: of everything.
        seconds: least length; it ends with the episode that reaches it.
        episodes: keys of `EPISODES` to draw from, none for all; each comes once before any comes again.

    Raises:
        ValueError: an unknown episode.
    """
    known = tuple(episodes) or tuple(EPISODES)
    for name in known:
        if name not in EPISODES:
            raise ValueError(f"{name!r} is no episode; there are: {', '.join(EPISODES)}")
    spans: Spans = []
    while sum(length for length, _ in spans) < seconds:
        for at in rng.permutation(len(known)):
            spans += EPISODES[known[int(at)]](rng)
    return Script.of(spans)
