"""Features of how the channel varies within a window, one vector a stream (link x rx x tx), free of level.

What people do to the channel is change it: more people, more of the power moves, and fading goes from Rician
towards Rayleigh (METHODS B, #2: "variation of CSI"). The static mean profile is left out on purpose: it
recognises the recording, not the people. Training and serving both call `variation`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.signal.fading import Fading, Floats, lagged_sum, per_stream
from models.signal.grid import SUBCARRIERS
from models.signal.motion import MIN_PAIRS

VERSION = "variation-1"
"""Changes whenever a number in the vector changes meaning; a model names the version it was trained on."""

LAGS = (1, 2, 4, 8, 16, 32, 64)
"""Lags of auto-correlation and structure function in bins of 20 ms, up to 1.3 s."""
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
SPACINGS = (1, 4, 12)
"""Distances in canonical subcarriers at which the variation is compared across frequency."""
EIGENVALUES = 3
_TINY = 1e-5
_STILL = 0.01  # relative variance that quantisation and drift cause: below it rooms differ by noise alone
_FLOOR = 1e-3  # of the mean power: a fade deeper than 30 dB is quantisation

NAMES: tuple[str, ...] = (
    "variance",
    "log_variance",
    "moved",
    "log_moved",
    "skewness",
    "kurtosis",
    *(f"quantile_{round(100 * q)}" for q in QUANTILES),
    *(f"rho_{lag}" for lag in LAGS),
    *(f"structure_{lag}" for lag in LAGS),
    *(f"spread_{spacing}" for spacing in SPACINGS),
    *(f"eigenvalue_{i}" for i in range(EIGENVALUES)),
    "eigen_rank",
    "joint_rank",
)
"""Names of the features, in order."""


@dataclass(frozen=True, slots=True, eq=False)
class Variation:
    """Features of one window: float32 ``[stream, feature]`` and the mask ``[stream]`` of measured streams."""

    features: npt.NDArray[np.float32]
    mask: npt.NDArray[np.bool_]


def variation(links: Sequence[Fading]) -> Variation:
    """Features of all streams of all links of a window; a link with too few frames gives no stream."""
    found = [_link_features(fading) for fading in links if fading.filled >= 2 * MIN_PAIRS]
    features = np.concatenate(found) if found else np.zeros((1, len(NAMES)), np.float32)
    return Variation(features, np.full(len(features), bool(found)))


def _link_features(fading: Fading) -> Floats:
    log_amplitude = np.asarray(0.5 * np.log(np.maximum(fading.relative, _FLOOR)), np.float32)
    variance, skewness, kurtosis = _shape(fading)
    rho, covariance = fading.autocorrelation(LAGS)
    log_moments = 4 * _log_moments(log_amplitude, fading)
    rows = per_stream(
        np.stack(
            [variance, *log_moments, covariance[0], skewness, kurtosis, *_quantiles(log_amplitude), *rho]
        )
    )
    variance, log_variance, log_moved, moved, skewness, kurtosis = rows[:6]
    quantiles, rho = np.split(rows[6:], [len(QUANTILES)])
    structure = np.log(2 * variance * np.maximum(1 - rho, 0) + _STILL)
    sizes = np.log(np.maximum([variance, log_variance, moved, log_moved], 0) + _STILL)
    shape = (skewness, np.log(kurtosis + _TINY))
    return np.stack([*sizes, *shape, *quantiles, *rho, *structure, *_across_frequency(fading)], axis=1)


def _shape(fading: Fading) -> tuple[Floats, Floats, Floats]:
    """Variance, skewness and kurtosis of the relative power, ``[series]`` each."""
    frames, squares = fading.filled, fading.squares
    second = squares.sum(axis=0) / frames
    third = np.einsum("ts,ts->s", squares, fading.centred) / frames
    fourth = np.einsum("ts,ts->s", squares, squares) / frames
    variance = second - (fading.centred.sum(axis=0) / frames) ** 2  # the mean is 0 but for a dead series
    second = np.maximum(second, _TINY)
    return np.maximum(variance, 0), third / second**1.5, fourth / second**2


def _log_moments(log_amplitude: Floats, fading: Fading) -> Floats:
    """Variance of the log amplitude, and the part of it that is continuous in time, ``[2, series]``."""
    centred = fading.spread(log_amplitude - log_amplitude.mean(axis=0))
    pairs = max(int(np.count_nonzero(fading.mask[1:] & fading.mask[:-1])), 1)
    variance = np.einsum("ts,ts->s", centred, centred) / fading.filled
    return np.stack([variance, lagged_sum(centred, 1) / pairs])


def _quantiles(log_amplitude: Floats) -> Floats:
    places = (np.array(QUANTILES) * (len(log_amplitude) - 1)).round().astype(int)
    return np.asarray(np.sort(log_amplitude, axis=0)[places])


def _across_frequency(fading: Fading) -> tuple[Floats, ...]:
    """How the variation of neighbouring subcarriers hangs together, and how many patterns it is made of."""
    grid = fading.centred.reshape(len(fading.mask), -1, SUBCARRIERS)
    covariance = grid.transpose(1, 2, 0) @ grid.transpose(1, 0, 2) / fading.filled
    total = np.trace(covariance, axis1=1, axis2=2) / SUBCARRIERS + _TINY
    spread = [np.diagonal(covariance, spacing, axis1=1, axis2=2).mean(axis=1) / total for spacing in SPACINGS]
    values = np.linalg.eigvalsh(covariance)[:, ::-1]
    share = np.maximum(values, 0) / (np.maximum(values, 0).sum(axis=1, keepdims=True) + _TINY)
    rank = -np.log((share**2).sum(axis=1) + _TINY)
    joint = np.full(len(rank), _joint_rank(fading.centred), np.float32)
    return *spread, *np.log(share[:, :EIGENVALUES].T + _TINY), rank, joint


def _joint_rank(centred: Floats) -> float:
    """(Log) number of patterns in all streams of a link together: trace squared over squared norm."""
    gram = centred @ centred.T
    return float(np.log(np.trace(gram) ** 2 / (np.vdot(gram, gram) + _TINY) + _TINY))
