"""Features of how the channel varies within a window, one vector a stream (link x rx x tx), free of level.

What people do to the channel is change it: more people, more of the power moves, and fading goes from Rician
towards Rayleigh (METHODS B, #2: "variation of CSI"). The static mean profile is left out on purpose: it
recognises the recording, not the people. Training and serving both call `variation`.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.signal.grid import SUBCARRIERS
from models.signal.link_buffer import LinkFrames
from models.signal.motion import BIN_S, MIN_PAIRS, autocorrelation, power_series
from models.signal.resample import Bins, bins
from models.signal.window import Window

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


def variation(window: Window) -> Variation:
    """Features of all streams of all links of a window; a link with too few frames gives no stream."""
    parts = [_link_features(part, window.start_ns, window.end_ns) for part in window.parts]
    found = [part for part in parts if part is not None]
    features = np.concatenate(found) if found else np.zeros((1, len(NAMES)), np.float32)
    return Variation(features, np.full(len(features), bool(found)))


def _link_features(frames: LinkFrames, start_ns: int, end_ns: int) -> npt.NDArray[np.float32] | None:
    cut = bins(frames.time_ns, start_ns, end_ns, BIN_S)
    mask = cut.mask()
    if np.count_nonzero(mask) < 2 * MIN_PAIRS:
        return None
    power = power_series(frames, cut)
    level = power.mean(axis=0)
    relative = power / np.maximum(level, np.finfo(np.float32).tiny)
    log_power = 0.5 * np.log(np.maximum(relative, _FLOOR))
    rows = (
        *_moments(relative, log_power, cut, mask),
        *_distribution(relative, log_power),
        *_dynamics(relative - 1, cut, mask),
        *_across_frequency(relative - 1),
    )
    return np.stack(rows, axis=1).astype(np.float32)


def _per_stream(series: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Mean over subcarriers of ``[..., series]``, series being subcarrier x stream."""
    return np.asarray(series.reshape(*series.shape[:-1], SUBCARRIERS, -1).mean(axis=-2), np.float32)


def _moments(
    relative: npt.NDArray[np.float32],
    log_power: npt.NDArray[np.float32],
    cut: Bins,
    mask: npt.NDArray[np.bool_],
) -> tuple[npt.NDArray[np.float32], ...]:
    """Variance in all, and the part of it that is continuous in time, of power and of log amplitude."""
    centred = log_power - log_power.mean(axis=0)
    _, moved = autocorrelation(cut.spread(relative - 1), mask, 1)
    _, log_moved = autocorrelation(cut.spread(centred), mask, 1)
    values = (relative.var(axis=0), 4 * centred.var(axis=0), moved, 4 * log_moved)
    return tuple(np.log(np.maximum(_per_stream(value), 0) + _STILL) for value in values)


def _distribution(
    relative: npt.NDArray[np.float32], log_power: npt.NDArray[np.float32]
) -> tuple[npt.NDArray[np.float32], ...]:
    """Shape of the fading: skewness and (log) kurtosis of the power, quantiles of the log amplitude."""
    centred = relative - 1
    square = centred * centred
    second = np.maximum(square.mean(axis=0), _TINY)
    skewness = (square * centred).mean(axis=0) / second**1.5
    kurtosis = (square * square).mean(axis=0) / second**2
    ordered = np.sort(log_power, axis=0)
    places = (np.array(QUANTILES) * (len(ordered) - 1)).round().astype(int)
    return _per_stream(skewness), np.log(_per_stream(kurtosis) + _TINY), *_per_stream(ordered[places])


def _dynamics(
    centred: npt.NDArray[np.float32], cut: Bins, mask: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.float32], ...]:
    """Auto-correlation and (log) structure function of the power at every lag."""
    values = cut.spread(centred)
    variance = _per_stream(centred.var(axis=0))
    rho = [_per_stream(autocorrelation(values, mask, lag)[0]) for lag in LAGS]
    structure = [np.log(2 * variance * np.maximum(1 - one, 0) + _STILL) for one in rho]
    return *rho, *structure


def _across_frequency(centred: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.float32], ...]:
    """How the variation of neighbouring subcarriers hangs together, and how many patterns it is made of."""
    grid = centred.reshape(len(centred), SUBCARRIERS, -1)
    covariance = np.einsum("tik,tjk->kij", grid, grid, optimize=True) / len(grid)
    total = np.trace(covariance, axis1=1, axis2=2) / SUBCARRIERS + _TINY
    spread = [np.diagonal(covariance, spacing, axis1=1, axis2=2).mean(axis=1) / total for spacing in SPACINGS]
    values = np.linalg.eigvalsh(covariance)[:, ::-1]
    share = np.maximum(values, 0) / (np.maximum(values, 0).sum(axis=1, keepdims=True) + _TINY)
    rank = -np.log((share**2).sum(axis=1) + _TINY)
    joint = np.full(len(rank), _joint_rank(centred), np.float32)
    return *spread, *(np.log(share[:, i] + _TINY) for i in range(EIGENVALUES)), rank, joint


def _joint_rank(centred: npt.NDArray[np.float32]) -> float:
    """(Log) number of patterns in all streams of a link together: trace squared over squared norm."""
    gram = centred @ centred.T
    return float(np.log(np.trace(gram) ** 2 / (np.sum(gram * gram) + _TINY) + _TINY))
