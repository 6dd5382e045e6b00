"""Support and query: the few labelled rows of the target that adapt, and those judged (DESIGN A2)."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.data.samples import Samples
from models.errors import SelectionError

GUARD_S = 7.0
"""Windows that start within this time after the support are not judged: neighbours share frames."""
GUARD_ROWS = 7
"""Rows without time after the support that are not judged."""
_SUPPORT = re.compile(r"([^:,]+):(?:(\d+(?:\.\d+)?)s|(\d+))")
_CLOSE = 1e-6

Chosen = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Support:
    """Labelled target rows: the first `seconds`, or `count` rows, of each class of a domain."""

    domain: str
    seconds: float | None
    count: int | None


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """Rows that adapt, rows that are judged, and how many of the target are neither."""

    support: Samples
    query: Samples
    left_out: int


def parse_support(text: str) -> list[Support]:
    """``D:20s`` or ``D:5`` (rows a class), with commas.

    Raises:
        SelectionError: it does not read like that.
    """
    found = []
    for piece in text.split(","):
        match = _SUPPORT.fullmatch(piece.strip())
        if match is None or float(match[2] or match[3]) <= 0:
            raise SelectionError(f"support {piece!r} is not DOMAIN:AMOUNT; write RoomB:20s or RoomB:5")
        seconds, count = match[2], match[3]
        found.append(Support(match[1], float(seconds) if seconds else None, int(count) if count else None))
    return found


def split(
    samples: Samples,
    supports: Sequence[Support],
    *,
    asked: Chosen | None = None,
    lends: Chosen | None = None,
    draw: int | None = None,
) -> Split:
    """Support and query; what shares frames, blocks or the neighbourhood of a support row is in neither.

    Args:
        samples: rows of the target, and of domains that lend support alone.
        supports: what is taken of which domain, of each class there.
        asked: rows that are to be judged unless the support takes them; all by default.
        lends: rows that may be support; all by default.
        draw: rows are drawn at random with this seed instead of the first ones; of rows without time alone.

    Raises:
        SelectionError: a domain is not there, seconds are asked of rows that have no time, or one side stays
            empty.
    """
    lends = np.ones(len(samples), np.bool_) if lends is None else lends
    rng = None if draw is None else np.random.default_rng(draw)
    support, near = np.zeros(len(samples), np.bool_), np.zeros(len(samples), np.bool_)
    for wanted in supports:
        inside = samples.domain == wanted.domain
        _check(samples, wanted, inside)
        for label in np.unique(samples.label[inside], axis=0):
            rows = inside & _labelled(samples, label)
            taken, close = (
                _timed(samples, rows, wanted)
                if samples.length_s
                else _rows(samples, rows, rows & lends, wanted.count or 0, rng)
            )
            support, near = support | taken, near | close
    judged = np.ones(len(samples), np.bool_) if asked is None else asked
    query = judged & ~support & ~near
    if not support.any() or not query.any():
        raise SelectionError("the support leaves no window to adapt on, or none to judge; change its amount")
    return Split(samples.take(support), samples.take(query), int((judged & ~query & ~support).sum()))


def _check(samples: Samples, wanted: Support, inside: Chosen) -> None:
    if not inside.any():
        raise SelectionError(f"support domain {wanted.domain!r} holds no row of these classes")
    if wanted.seconds is not None and samples.length_s == 0:
        raise SelectionError("these rows have no time: give the support as a number of samples a class")


def _labelled(samples: Samples, label: npt.NDArray[np.generic]) -> Chosen:
    same = samples.label == label
    return np.asarray(same if same.ndim == 1 else same.all(axis=1))


def _rows(
    samples: Samples, rows: Chosen, lending: Chosen, count: int, rng: np.random.Generator | None
) -> tuple[Chosen, Chosen]:
    """The first rows, or rows drawn, of those `lending`; and what is near them among all of the class.

    Near is the whole block where several rows share one, else the next rows of the same recording.
    """
    there = _in_order(samples, lending)
    some = there[:count] if rng is None else rng.permutation(there)[:count]
    taken, near = np.zeros(len(samples), np.bool_), np.zeros(len(samples), np.bool_)
    taken[some] = True
    for row in some:
        block = samples.block == samples.block[row]
        if block.sum() > 1:
            near |= block
        else:
            beside = _in_order(samples, rows & (samples.session == samples.session[row]))
            place = int(np.flatnonzero(beside == row)[0])
            near[beside[place : place + 1 + GUARD_ROWS]] = True
    return taken, near


def _in_order(samples: Samples, rows: Chosen) -> Numbers:
    there = np.flatnonzero(rows)
    return there[np.argsort(samples.start_s[there], kind="stable")]


def _timed(samples: Samples, rows: Chosen, wanted: Support) -> tuple[Chosen, Chosen]:
    """The first windows of a class, session after session, and all that share its time or the guard after."""
    taken, near = np.zeros(len(samples), np.bool_), np.zeros(len(samples), np.bool_)
    seconds, count = wanted.seconds or np.inf, wanted.count or len(samples)
    for begin, run in _runs(samples, rows):
        starts = samples.start_s[run]
        some = run[starts + samples.length_s <= begin + seconds + _CLOSE][:count]
        if not len(some):
            break
        taken[some] = True
        last = float(samples.start_s[some].max()) + samples.length_s
        end = last if wanted.seconds is None else min(begin + seconds, float(starts.max()) + samples.length_s)
        beside = samples.session == samples.session[run[0]]
        from_s, to_s = float(samples.start_s[some].min()) - samples.length_s, end + samples.guard
        near |= beside & (samples.start_s > from_s + _CLOSE) & (samples.start_s < to_s - _CLOSE)
        count, seconds = count - len(some), seconds - (end - begin)
    return taken, near


def _runs(samples: Samples, rows: Chosen) -> Iterator[tuple[float, Numbers]]:
    """Stretches of a class in order: when each begins, and its windows.

    A recording of one class begins with its first frame; in others a class comes and goes.
    """
    for session in dict.fromkeys(samples.session[rows].tolist()):
        whole = samples.session == session
        mine = _in_order(samples, rows & whole)
        if len(np.unique(samples.label[whole], axis=0)) == 1:
            yield 0.0, mine
            continue
        gaps = np.flatnonzero(np.diff(samples.start_s[mine]) > samples.length_s) + 1
        for run in np.split(mine, gaps):
            yield float(samples.start_s[run[0]]), run
