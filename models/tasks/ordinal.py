"""From cumulative logits to class probabilities, and back to decisions."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float32] | npt.NDArray[np.float64]


def class_probabilities(logits: Floats, temperature: float = 1.0) -> npt.NDArray[np.float64]:
    """Probabilities ``[..., classes]`` from logits of P(class > k) ``[..., classes - 1]``; rows sum to 1.

    Logits that do not fall with k (a room's own head need not be ordered) are made to.
    """
    ordered = np.minimum.accumulate(np.asarray(logits, np.float64) / temperature, axis=-1)
    above = 1 / (1 + np.exp(-np.clip(ordered, -40, 40)))
    one, zero = np.ones_like(above[..., :1]), np.zeros_like(above[..., :1])
    return np.asarray(
        np.concatenate([one, above], axis=-1) - np.concatenate([above, zero], axis=-1), np.float64
    )


def median(probabilities: Floats) -> npt.NDArray[np.int64]:
    """Posterior median class, ``[...]``: least expected absolute error."""
    below = np.asarray(np.cumsum(probabilities, axis=-1), np.float64) < 0.5 - 1e-9
    return np.asarray(below.sum(axis=-1), np.int64)


def expectation(probabilities: Floats) -> npt.NDArray[np.float64]:
    """Expected class, ``[...]``."""
    return np.asarray(probabilities @ np.arange(probabilities.shape[-1]), np.float64)


def deviation(probabilities: Floats) -> npt.NDArray[np.float64]:
    """Posterior standard deviation of the class, ``[...]``."""
    classes = np.arange(probabilities.shape[-1])
    variance = probabilities @ classes**2 - expectation(probabilities) ** 2
    return np.sqrt(np.maximum(np.asarray(variance, np.float64), 0))


def interval(probabilities: Floats, width: float) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Prediction interval of the class, lower and upper ``[...]``: mean -+ width x (deviation + 1/4).

    `width` comes from held-out domains (split conformal; Vovk, Gammerman, Shafer, "Algorithmic Learning in a
    Random World", 2005) with this very rounding, and the interval always holds the posterior median.
    """
    middle, reach = expectation(probabilities), width * (deviation(probabilities) + 0.25)
    best, last = median(probabilities), probabilities.shape[-1] - 1
    low = np.minimum(np.clip(np.floor(middle - reach + 0.5), 0, last).astype(np.int64), best)
    high = np.maximum(np.clip(np.ceil(middle + reach - 0.5), 0, last).astype(np.int64), best)
    return low, high
