"""How the power of a link's streams goes up and down within a window: the ground of motion and features.

Everything here is per series, that is per receive antenna, transmit stream and subcarrier, in this order.
"""

from collections.abc import Sequence
from functools import cached_property

import numpy as np
import numpy.typing as npt

from models.signal.grid import SUBCARRIERS
from models.signal.link_buffer import LinkFrames
from models.signal.resample import bins

BIN_S = 0.02
"""Width of the bins, and the shortest lag: at 5 GHz a walker changes |H|^2 over some 20-60 ms."""

Floats = npt.NDArray[np.float32]


class Fading:
    """Power of one link's frames in bins of time, relative to its mean over the window.

    Attributes:
        mask: bool ``[bin]``, True where a frame is.
        bin_s: width of a bin in seconds.
        level: mean |H|^2, float32 ``[series]``.
        relative: |H|^2 over its mean, float32 ``[filled bin, series]``.
        centred: the same less 1, float32 ``[bin, series]``, zero in bins that hold no frame.
    """

    def __init__(self, frames: LinkFrames, start_ns: int, end_ns: int) -> None:
        self._cut = bins(frames.time_ns, start_ns, end_ns, BIN_S)
        self.mask = self._cut.mask()
        self.bin_s = (end_ns - start_ns) / self._cut.count / 1e9
        power = self._cut.mean(frames.power.reshape(len(frames.power), -1))
        self.level = power.mean(axis=0)
        self.relative: Floats = power / np.maximum(self.level, np.finfo(np.float32).tiny)
        self.centred = self._cut.spread(self.relative - 1)

    @property
    def filled(self) -> int:
        """Number of bins that hold a frame."""
        return len(self.relative)

    @cached_property
    def squares(self) -> Floats:
        """Squares of `centred`."""
        return self.centred * self.centred

    def spread(self, values: Floats) -> Floats:
        """Values ``[filled bin, ...]`` at their place in time ``[bin, ...]``, as `Bins.spread`."""
        return self._cut.spread(values)

    def autocorrelation(self, lags: Sequence[int]) -> tuple[Floats, Floats]:
        """Of the power, as the function `autocorrelation`."""
        return autocorrelation(self.centred, self.squares, self.mask, lags)


def autocorrelation(
    values: Floats, squares: Floats, mask: npt.NDArray[np.bool_], lags: Sequence[int]
) -> tuple[Floats, Floats]:
    """Correlation and covariance ``[lag, series]`` of centred series ``[bin, series]``, lags >= 1 in bins.

    `values` and their `squares` are zero where `mask` is False. Both moments are taken over the pairs of
    filled bins only, so that |rho| <= 1; a series that does not vary has rho 0.
    """
    covariance = np.stack([lagged_sum(values, lag) for lag in lags])
    pairs = np.zeros((len(lags), 2, len(mask)), np.float32)  # which bins are first, and second, of a pair
    for row, lag in enumerate(lags):
        pairs[row, 0, :-lag] = pairs[row, 1, lag:] = mask[lag:] & mask[:-lag]
    energy = (pairs.reshape(-1, len(mask)) @ squares).reshape(len(lags), 2, -1)
    scale = np.sqrt(energy[:, 0] * energy[:, 1])
    rho = np.divide(covariance, scale, out=np.zeros_like(covariance), where=scale > 0)
    covariance /= np.maximum(pairs[:, 0].sum(axis=1), 1)[:, None]
    return rho, covariance


def lagged_sum(values: Floats, lag: int) -> Floats:
    """Sum over time of the products of values ``[bin, series]`` that lie `lag` bins apart, ``[series]``."""
    return np.asarray(np.einsum("ts,ts->s", values[lag:], values[:-lag]), np.float32)


def per_stream(series: Floats) -> Floats:
    """Mean over subcarriers: ``[..., series]`` -> ``[..., stream]``."""
    return np.asarray(series.reshape(*series.shape[:-1], -1, SUBCARRIERS).mean(axis=-1), np.float32)
