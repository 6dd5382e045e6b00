"""Judged units and their bootstrap: spans of a decision, blocks of a session."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from models.data.samples import Samples

BLOCK_S = 20.0
DRAWS = 400
_LEAST = 1e-6
"""Least probability that enters a logarithm."""

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


def units(samples: Samples, decision_s: float | None) -> list[Rows]:
    """Rows of every judged unit: of each span where a decision spans several windows, else as they say."""
    if decision_s is not None and decision_s > samples.length_s:
        return spans(samples, decision_s)
    _, number = np.unique(samples.unit, return_inverse=True)
    order = np.argsort(number, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(number[order])) + 1) if len(order) else []


def decide(found: Floats, units: list[Rows], pooling: Literal["mean", "log"] = "mean") -> Floats:
    """One answer a unit: the mean over its rows, of probabilities or of their logarithms (sum 1 again)."""
    if pooling == "mean":
        return np.stack([found[rows].mean(axis=0) for rows in units])
    logs = np.log(np.maximum(found, _LEAST))
    pooled = np.exp(np.stack([logs[rows].mean(axis=0) for rows in units]))
    return np.asarray(pooled / pooled.sum(axis=1, keepdims=True), np.float64)


def bootstrap(
    metrics: Callable[[Floats, npt.NDArray[Any]], Mapping[str, float]],
    probabilities: Floats,
    labels: npt.NDArray[Any],
    session: npt.NDArray[np.str_],
    start_s: Floats,
) -> dict[str, tuple[float, float]]:
    """95 % interval of every metric, resampling blocks of 20 s within each session.

    Sessions of a single block, such as clips and walks, are resampled among each other.
    """
    rng = np.random.default_rng(0)
    key = np.array([f"{name}/{int(start // BLOCK_S)}" for name, start in zip(session, start_s, strict=True)])
    blocks = _strata(session, key)
    drawn: dict[str, list[float]] = {}
    for _ in range(DRAWS):
        rows = np.concatenate([held[i] for held in blocks for i in rng.integers(0, len(held), len(held))])
        for name, value in metrics(probabilities[rows], labels[rows]).items():
            drawn.setdefault(name, []).append(value)
    return {
        name: (float(np.percentile(values, 2.5)), float(np.percentile(values, 97.5)))
        for name, values in drawn.items()
    }


def _strata(session: npt.NDArray[np.str_], key: npt.NDArray[np.str_]) -> list[list[Rows]]:
    """Blocks that can stand for each other: those of a session, and all that are a session by themselves."""
    found, short = list[list[Rows]](), list[Rows]()
    for name in np.unique(session):
        blocks = [np.flatnonzero(key == one) for one in np.unique(key[session == name])]
        if len(blocks) > 1:
            found.append(blocks)
        else:
            short += blocks
    return [*found, short] if short else found


def _sessions(samples: Samples) -> Iterator[tuple[str, Rows]]:
    for name in dict.fromkeys(samples.session.tolist()):
        rows = np.flatnonzero(samples.session == name)
        yield name, rows[np.argsort(samples.start_s[rows], kind="stable")]
