"""Judged units and their bootstrap: spans of a decision, blocks of a session."""

from collections.abc import Callable, Iterator, Mapping

import numpy as np
import numpy.typing as npt

from models.data.samples import Samples

BLOCK_S = 20.0
DRAWS = 400

Floats = npt.NDArray[np.float64]
Rows = npt.NDArray[np.intp]


def spans(samples: Samples, decision_s: float) -> list[Rows]:
    """Windows of each decision: those wholly inside a span of `decision_s`; a span starts every hop."""
    found = []
    reach = decision_s - samples.length_s + 1e-6
    for _, rows in _sessions(samples):
        starts = samples.start_s[rows]
        for first in range(len(rows)):
            inside = (starts >= starts[first]) & (starts <= starts[first] + reach)
            if starts[-1] >= starts[first] + reach - 1e-3:
                found.append(rows[inside])
    return found


def decide(probabilities: Floats, units: list[Rows]) -> Floats:
    """Mean probabilities of the windows of each unit."""
    return np.stack([probabilities[rows].mean(axis=0) for rows in units])


def bootstrap(
    metrics: Callable[[Floats, npt.NDArray[np.int64]], Mapping[str, float]],
    probabilities: Floats,
    labels: npt.NDArray[np.int64],
    session: npt.NDArray[np.str_],
    start_s: Floats,
) -> dict[str, tuple[float, float]]:
    """95 % interval of every metric, resampling blocks of 20 s within each session."""
    rng = np.random.default_rng(0)
    key = np.array([f"{name}/{int(start // BLOCK_S)}" for name, start in zip(session, start_s, strict=True)])
    blocks = {
        name: [np.flatnonzero(key == one) for one in np.unique(key[session == name])]
        for name in np.unique(session)
    }
    drawn: dict[str, list[float]] = {}
    for _ in range(DRAWS):
        rows = np.concatenate(
            [held[i] for held in blocks.values() for i in rng.integers(0, len(held), len(held))]
        )
        for name, value in metrics(probabilities[rows], labels[rows]).items():
            drawn.setdefault(name, []).append(value)
    return {
        name: (float(np.percentile(values, 2.5)), float(np.percentile(values, 97.5)))
        for name, values in drawn.items()
    }


def _sessions(samples: Samples) -> Iterator[tuple[str, Rows]]:
    for name in dict.fromkeys(samples.session.tolist()):
        rows = np.flatnonzero(samples.session == name)
        yield name, rows[np.argsort(samples.start_s[rows], kind="stable")]
