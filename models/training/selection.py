"""What to train on and what to judge on: domains, time ranges, support, the guard between them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.data.samples import Samples
from models.errors import SelectionError

GUARD_S = 7.0
"""Windows that start within this time after the support are not judged: neighbours share frames."""

_DOMAIN = re.compile(r"([^:,]+)(?::([\d.]+)s-([\d.]+)s)?")
_SUPPORT = re.compile(r"([^:,]+):(?:([\d.]+)s|(\d+))")


@dataclass(frozen=True, slots=True)
class Part:
    """A domain, and the part of every recording in it that is meant, in seconds."""

    domain: str
    start_s: float = 0.0
    end_s: float = float("inf")


@dataclass(frozen=True, slots=True)
class Support:
    """Labelled target windows: the first `seconds`, or the first `count` windows, of each class."""

    domain: str
    seconds: float | None
    count: int | None


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


def parse_support(text: str) -> list[Support]:
    """``D:20s`` or ``D:5`` (windows a class), with commas.

    Raises:
        SelectionError: it does not read like that.
    """
    found = []
    for piece in text.split(","):
        match = _SUPPORT.fullmatch(piece.strip())
        if match is None:
            raise SelectionError(f"support {piece!r} is not DOMAIN:AMOUNT; write RoomB:20s or RoomB:5")
        seconds, count = match[2], match[3]
        found.append(Support(match[1], float(seconds) if seconds else None, int(count) if count else None))
    return found


def pick(samples: Samples, parts: Sequence[Part]) -> Samples:
    """Windows that lie wholly inside these parts.

    Raises:
        SelectionError: there is none.
    """
    rows = np.zeros(len(samples), np.bool_)
    for part in parts:
        inside = (samples.start_s >= part.start_s) & (samples.start_s + samples.length_s <= part.end_s)
        rows |= (samples.domain == part.domain) & inside
        if not np.any(rows & (samples.domain == part.domain)):
            raise SelectionError(f"no window of domain {part.domain!r} lies in {part.start_s}-{part.end_s} s")
    return samples.take(rows)


def split_support(target: Samples, supports: Sequence[Support]) -> tuple[Samples, Samples]:
    """Support and query. Of each class the support comes first; the query starts a guard after its end.

    Raises:
        SelectionError: a support names a domain that is not a target, asks for seconds of rows that have no
            time, or one side stays empty.
    """
    support = np.zeros(len(target), np.bool_)
    query = np.ones(len(target), np.bool_)
    for wanted in supports:
        if wanted.domain not in set(target.domain.tolist()):
            raise SelectionError(f"support domain {wanted.domain!r} is not among the targets")
        if wanted.seconds is not None and target.length_s == 0:
            raise SelectionError("these rows have no time: give the support as a number of samples a class")
        inside = target.domain == wanted.domain
        for one in np.unique(target.label[inside], axis=0):
            rows = inside & _labelled(target, one)
            chosen = _first(target, rows, wanted)
            support |= chosen
            query &= ~(rows & _near(target, chosen, wanted))
    query &= ~np.isin(target.block, np.unique(target.block[support])) | _timed(target)
    if not support.any() or not query.any():
        raise SelectionError("the support leaves no window to adapt on, or none to judge; change its amount")
    return target.take(support), target.take(query)


def _labelled(target: Samples, label: np.ndarray) -> np.ndarray:
    same = target.label == label
    return np.asarray(same if same.ndim == 1 else same.all(axis=1))


def _first(target: Samples, rows: np.ndarray, wanted: Support) -> np.ndarray:
    if wanted.seconds is not None:
        return np.asarray(rows & (target.start_s + target.length_s <= wanted.seconds))
    order = np.flatnonzero(rows)[np.argsort(target.start_s[rows], kind="stable")][: wanted.count]
    first = np.zeros(len(target), np.bool_)
    first[order] = True
    return first


def _near(target: Samples, chosen: np.ndarray, wanted: Support) -> np.ndarray:
    """Rows that start before the support of their session has ended, and the guard after it."""
    near = chosen.copy()
    for session in np.unique(target.session[chosen]):
        rows = target.session == session
        end_s = wanted.seconds or float(target.start_s[chosen & rows].max() + target.length_s)
        near |= rows & (target.start_s < end_s + target.guard)
    return near


def _timed(target: Samples) -> bool:
    """Whether the guard in time keeps query and support apart; elsewhere whole blocks do."""
    return target.length_s > 0


def leave_out(samples: Samples, what: str, seed: int) -> list[tuple[Samples, Samples]]:
    """Pairs of training and judged rows: each person, each day, or a fifth of the places in turn.

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
    return [(samples.take(group != name), samples.take(group == name)) for name in names]


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
