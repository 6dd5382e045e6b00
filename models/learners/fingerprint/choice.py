"""Which of several classifiers carries best to a channel never heard, told from one recording.

Rows of one recording are near copies of each other: rows held out at random say that everything works. But
the channel of a recording has states (`models.learners.fingerprint.states`): leave a whole state out, learn
from the others, and judge on it. That is a small change of day, made from the source alone.
"""

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt
from sklearn.cluster import KMeans

from models.learners.fingerprint.margins import MarginSvm, standardising, whitening
from models.learners.fingerprint.states import StateLda, less_class
from models.learners.fingerprint.views import Floats

STATES = (4, 8)
"""Into how many states the source is parted to leave each of them out, once coarse and once fine."""
CHOSEN = 5
"""Pairs of view and classifier that answer together."""
_EACH = 40
"""Rows a class under which nothing is left out and `USUAL` is taken."""

Labels = npt.NDArray[np.int64]
Member = StateLda | MarginSvm
Pair = tuple[str, str]

MEMBERS: Mapping[str, Callable[[Floats, Labels, int], Member]] = {
    "one state": lambda rows, label, seed: StateLda(1, seed).fit(rows, label),
    "three states": lambda rows, label, seed: StateLda(3, seed).fit(rows, label),
    "six states": lambda rows, label, seed: StateLda(6, seed).fit(rows, label),
    "whitened": lambda rows, label, _: MarginSvm(whitening(rows, label)).fit(rows, label),
    "standardised": lambda rows, label, _: MarginSvm(standardising(rows)).fit(rows, label),
}
"""Classifiers by name, each fitted from rows, classes and a seed."""

USUAL: tuple[Pair, ...] = (
    ("values", "three states"),
    ("slopes", "whitened"),
    ("steep slopes", "standardised"),
)


def best_pairs(
    views: Mapping[str, Floats], label: Labels, seed: int, progress: Callable[[float], None]
) -> list[Pair]:
    """The view and classifier of the `CHOSEN` pairs that find most rows of states that they never saw."""
    if len(label) < _EACH * len(np.unique(label)):
        return list(USUAL)
    apart = less_class(views["values"], label)
    parts = [KMeans(count, n_init=4, random_state=seed).fit(apart).labels_ for count in STATES]
    pairs = [(view, member) for view in views for member in MEMBERS]
    hits = {}
    for done, pair in enumerate(pairs):
        rows, member = views[pair[0]], MEMBERS[pair[1]]
        hits[pair] = sum(_hits(rows, label, state, member, seed) for state in parts)
        progress((done + 1) / len(pairs))
    return sorted(pairs, key=lambda pair: -hits[pair])[:CHOSEN]


def _hits(
    rows: Floats,
    label: Labels,
    state: npt.NDArray[np.int32],
    member: Callable[[Floats, Labels, int], Member],
    seed: int,
) -> int:
    """Rows whose class is found by what was learned without their state."""
    total = 0
    for one in np.unique(state):
        held = state == one
        if len(np.unique(label[~held])) < 2:
            continue
        fitted = member(rows[~held], label[~held], seed)
        found = fitted.classes_[fitted.predict_proba(rows[held]).argmax(axis=1)]
        total += int((found == label[held]).sum())
    return total
