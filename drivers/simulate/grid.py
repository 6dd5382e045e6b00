"""Subcarriers on which a simulated NIC measures the channel."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

SUBCARRIER_SPACING_HZ = 312_500.0

_INTEL_20 = (*range(-28, -1, 2), -1, 1, *range(3, 28, 2), 28)
_INTEL_40 = (*range(-58, -1, 4), *range(2, 59, 4))


@dataclass(frozen=True, slots=True)
class Grid:
    """Subcarriers of one channel.

    Attributes:
        centre_hz: channel centre.
        bandwidth_mhz: 20 or 40.
        index: signed offsets from the centre in subcarrier spacings, rising.
    """

    centre_hz: float
    bandwidth_mhz: int
    index: tuple[int, ...]

    @property
    def offset_hz(self) -> npt.NDArray[np.float64]:
        """Distance of each subcarrier from the centre, Hz ``[subcarrier]``."""
        return np.asarray(self.index, np.float64) * SUBCARRIER_SPACING_HZ

    @property
    def frequency_hz(self) -> npt.NDArray[np.float64]:
        """Frequency of each subcarrier, Hz ``[subcarrier]``."""
        return self.centre_hz + self.offset_hz


def intel5300_grid(*, centre_hz: float = 2.437e9, bandwidth_mhz: int = 20) -> Grid:
    """The 30 subcarriers that the Intel 5300 reports (`iwl_bfee_notif`; Halperin, CSI Tool, 2011).

    Raises:
        ValueError: a bandwidth the card does not have.
    """
    if bandwidth_mhz not in (20, 40):
        raise ValueError(f"the Intel 5300 measures 20 or 40 MHz, not {bandwidth_mhz}")
    return Grid(centre_hz, bandwidth_mhz, _INTEL_20 if bandwidth_mhz == 20 else _INTEL_40)
