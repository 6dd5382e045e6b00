"""Calibration on domains the model never saw: temperature of the logits, width of the interval."""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from models.data.samples import Samples
from models.tasks.ordinal import class_probabilities, interval
from models.training.fit import fit
from models.training.task import TaskSpec

COVERAGE = 0.9
_TEMPERATURES = np.geomspace(1.0, 8.0, 25)
_WIDTHS = np.linspace(0.0, 12.0, 241)

Logits = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]


def held_out_logits(
    samples: Samples,
    spec: TaskSpec,
    seed: int,
    *,
    folds: int = 4,
    progress: Callable[[float], None] = lambda _share: None,
) -> Logits:
    """Logits of every window from a model that saw none of its domain, ``[window, classes - 1]``.

    Domains are left out one at a time, or in `folds` groups where there are more.

    Raises:
        ValueError: there is only one domain.
    """
    names = list(dict.fromkeys(samples.domain.tolist()))
    if len(names) < 2:
        raise ValueError(f"held-out domains need two domains or more, there is only {names}")
    groups = [names[i::folds] for i in range(min(folds, len(names)))]
    out = np.zeros((len(samples), len(spec.classes) - 1))
    for done, group in enumerate(groups):
        held = np.isin(samples.domain, group)
        out[held] = fit(samples.take(~held), spec, seed).logits(samples.take(held))
        progress((done + 1) / len(groups))
    return out


def temperature(logits: Logits, labels: Labels) -> float:
    """Temperature of least log loss, classes weighed equally (after Guo et al., ICML 2017)."""
    share = np.bincount(labels) / len(labels)
    weight = 1 / share[labels]

    def loss(value: float) -> float:
        found = class_probabilities(logits, value)[np.arange(len(labels)), labels]
        return float(np.mean(-np.log(np.maximum(found, 1e-6)) * weight))

    return float(min(_TEMPERATURES, key=loss))


def interval_width(probabilities: Logits, labels: Labels, domain: npt.NDArray[np.str_]) -> float:
    """Least width whose intervals hold the label in 90 % of the windows of every held-out domain, on average.

    With few domains the worst one counts: a new room is as likely to be like it.
    """
    names = np.unique(domain)
    for width in _WIDTHS:
        low, high = interval(probabilities, float(width))
        held = (low <= labels) & (labels <= high)
        by_domain = [float(held[domain == name].mean()) for name in names]
        if (min(by_domain) if len(names) < 5 else float(np.mean(by_domain))) >= COVERAGE:
            return float(width)
    return float(_WIDTHS[-1])
