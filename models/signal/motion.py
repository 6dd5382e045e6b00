"""Motion statistic: how much of the channel's change in time is continuous, that is, moved by something.

phi = rho(dt), the auto-correlation of the power response |H|^2 of one subcarrier at a short lag dt. Noise is
white, so in a still room rho(dt) is about 0; a moving scatterer makes it the share of the variance that
motion causes. After Zhang, Wu, Wang, Lai, Han, Liu, "WiDetect: Robust Motion Detection with a Statistical
Electromagnetic Model", Proc. ACM IMWUT 3(3), 2019 (their motion statistic; combined over subcarriers).

Two traps. Interpolated samples correlate with their neighbours in an empty room too: here frames are binned
and empty bins left out. Gain noise that all subcarriers of a packet share hides motion: the grid stage has
brought every frame to unit power.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.signal.link_buffer import LinkFrames
from models.signal.resample import Bins, bins

BIN_S = 0.02
"""Width of the bins, and the shortest lag: at 5 GHz a walker changes |H|^2 over some 20-60 ms."""
MAX_LAG = 10
"""Longest lag tried, in bins, for links slower than one frame a bin."""
MIN_PAIRS = 12
"""Fewest pairs of frames a correlation may rest on; below it is chance."""


@dataclass(frozen=True, slots=True)
class Motion:
    """Motion of one link in one window.

    Attributes:
        statistic: phi, mean over subcarriers and streams, 0..1 (chance below 0 is 0).
        moved: variance of |H|^2 that motion explains, relative to the squared mean; median over series.
        lag_s: lag of phi in seconds.
        pairs: number of pairs of bins behind it.
    """

    statistic: float
    moved: float
    lag_s: float
    pairs: int


def motion(frames: LinkFrames, start_ns: int, end_ns: int) -> Motion | None:
    """Motion of one link's frames in a window; None where too few frames lie close together.

    The shortest lag that enough pairs of frames have is taken.
    """
    cut = bins(frames.time_ns, start_ns, end_ns, BIN_S)
    mask = cut.mask()
    lag = _usable_lag(mask)
    if lag is None:
        return None
    power = power_series(frames, cut)
    level = power.mean(axis=0)
    rho, covariance = autocorrelation(cut.spread(power - level), mask, lag)
    moved = np.divide(covariance, level**2, out=np.zeros_like(level), where=level > 0)
    return Motion(
        statistic=float(np.clip(rho.mean(), 0, 1)),
        moved=float(max(np.median(moved), 0)),
        lag_s=lag * (end_ns - start_ns) / cut.count / 1e9,
        pairs=int(np.count_nonzero(mask[lag:] & mask[:-lag])),
    )


def autocorrelation(
    values: npt.NDArray[np.float32], mask: npt.NDArray[np.bool_], lag: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Correlation and covariance ``[series]`` of centred series ``[bin, series]`` at `lag` >= 1 bins.

    `values` are zero where `mask` is False. Both moments are taken over the pairs of filled bins only, so
    that |rho| <= 1; a series that does not vary has rho 0.
    """
    first = np.flatnonzero(mask[lag:] & mask[:-lag])
    head, tail = values[first], values[first + lag]
    covariance = np.einsum("ts,ts->s", head, tail)
    scale = np.sqrt(np.einsum("ts,ts->s", head, head) * np.einsum("ts,ts->s", tail, tail))
    rho = np.divide(covariance, scale, out=np.zeros_like(covariance), where=scale > 0)
    return rho, covariance / max(len(first), 1)


def power_series(frames: LinkFrames, cut: Bins) -> npt.NDArray[np.float32]:
    """|H|^2 per bin and series (subcarrier x rx x tx), float32 ``[filled bin, series]``."""
    flat = frames.csi.reshape(len(frames.csi), -1)
    return cut.mean(flat.real**2 + flat.imag**2)


def _usable_lag(mask: npt.NDArray[np.bool_]) -> int | None:
    for lag in range(1, MAX_LAG + 1):
        if np.count_nonzero(mask[lag:] & mask[:-lag]) >= MIN_PAIRS:
            return lag
    return None
