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

from models.signal.fading import Fading

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


def motion(fading: Fading) -> Motion | None:
    """Motion of one link in a window; None where too few frames lie close together.

    The shortest lag that enough pairs of frames have is taken.
    """
    lag = _usable_lag(fading.mask)
    if lag is None:
        return None
    (rho,), (moved,) = fading.autocorrelation([lag])
    alive = fading.level > 0  # a series without power shows no motion
    return Motion(
        statistic=float(np.clip(np.mean(rho * alive), 0, 1)),
        moved=float(max(np.median(moved * alive), 0)),
        lag_s=lag * fading.bin_s,
        pairs=_pairs(fading.mask, lag),
    )


def _usable_lag(mask: npt.NDArray[np.bool_]) -> int | None:
    return next((lag for lag in range(1, MAX_LAG + 1) if _pairs(mask, lag) >= MIN_PAIRS), None)


def _pairs(mask: npt.NDArray[np.bool_], lag: int) -> int:
    return int(np.count_nonzero(mask[lag:] & mask[:-lag]))
