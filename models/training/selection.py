"""What to train on and what to judge on: domains, time ranges, groups left out in turn."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.data.samples import Samples
from models.errors import SelectionError

_DOMAIN = re.compile(r"([^:,]+)(?::([\d.]+)s-([\d.]+)s)?")


@dataclass(frozen=True, slots=True)
class Part:
    """A domain, and the part of every recording in it that is meant, in seconds."""

    domain: str
    start_s: float = 0.0
    end_s: float = float("inf")


def parse_selection(text: str) -> list[Part]:
    """Domains with commas, each with an optional range of time: ``RoomA:0s-75s,RoomB``.

    What stands between commas can be a range of domains, ``d02..d18``; see
    `models.training.ranges`.

    Raises:
        SelectionError: it does not read like that.
    """
    parts = []
    for piece in text.split(","):
        match = _DOMAIN.fullmatch(piece.strip())
        if match is None or (match[2] and float(match[2]) >= float(match[3])):
            raise SelectionError(f"{piece!r} is no domain; write RoomA, RoomA:0s-75s or d02..d18")
        parts.append(Part(match[1], float(match[2]), float(match[3])) if match[2] else Part(match[1]))
    return parts


def pick(samples: Samples, parts: Sequence[Part]) -> Samples:
    """Windows that lie wholly inside these parts.

    Raises:
        SelectionError: there is none.
    """
    return samples.take(inside(samples, parts))


def inside(samples: Samples, parts: Sequence[Part]) -> npt.NDArray[np.bool_]:
    """Whether a window lies wholly inside one of these parts ``[row]``.

    Raises:
        SelectionError: none lies in one of them.
    """
    rows = np.zeros(len(samples), np.bool_)
    for part in parts:
        lies = (samples.start_s >= part.start_s) & (samples.start_s + samples.length_s <= part.end_s)
        rows |= (samples.domain == part.domain) & lies
        if not np.any(rows & (samples.domain == part.domain)):
            raise SelectionError(f"no window of domain {part.domain!r} lies in {part.start_s}-{part.end_s} s")
    return rows


def groups(samples: Samples, what: str, seed: int) -> npt.NDArray[np.str_]:
    """Which group each row is left out with ``[row]``: its person, its day, or a fifth of the places.

    Raises:
        SelectionError: nothing known by that name, or there is only one group.
    """
    if what == "person":
        group = samples.person
    elif what == "day":
        group = samples.domain
    elif what == "position":
        _, place = np.unique(samples.label, axis=0, return_inverse=True)
        order = np.random.default_rng(seed).permutation(place.max() + 1)
        group = (order[place.ravel()] % 5).astype(np.str_)
    else:
        raise SelectionError(f"--leave-out {what!r} is not person, position or day")
    names = np.unique(group)
    if len(names) < 2:
        raise SelectionError(f"--leave-out {what} needs two or more of them; there is only {names.tolist()}")
    return group


def hold_out(samples: Samples) -> tuple[Samples, Samples]:
    """Training and validation windows for choices on the source alone.

    With four domains or more every fourth is held out whole; else the last third of each recording, with
    the guard between.
    """
    names = list(dict.fromkeys(samples.domain.tolist()))
    if len(names) >= 4:
        held = np.isin(samples.domain, names[::4])
        return samples.take(~held), samples.take(held)
    ends = {one: float(samples.start_s[samples.session == one].max()) for one in np.unique(samples.session)}
    cut = np.array([ends[one] * 2 / 3 for one in samples.session])
    return samples.take(samples.start_s < cut - samples.guard), samples.take(samples.start_s >= cut)
