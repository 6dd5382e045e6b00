"""Subcarriers on which a simulated NIC measures the channel."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

SUBCARRIER_SPACING_HZ = 312_500.0

_INTEL_20 = (*range(-28, -1, 2), -1, 1, *range(3, 28, 2), 28)
_INTEL_40 = (*range(-58, -1, 4), *range(2, 59, 4))
_EDGES = {20: (1, 28), 40: (2, 58), 80: (2, 122)}
"""First and last subcarrier on either side of the carrier that 802.11 uses, by bandwidth."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Subcarriers of one channel.

    Attributes:
        centre_hz: channel centre.
        bandwidth_mhz: 20, 40 or 80.
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
    _check("the Intel 5300", bandwidth_mhz, (20, 40))
    return Grid(centre_hz, bandwidth_mhz, _INTEL_20 if bandwidth_mhz == 20 else _INTEL_40)


def atheros_grid(*, centre_hz: float = 2.437e9, bandwidth_mhz: int = 20) -> Grid:
    """The 56 or 114 subcarriers that 802.11n uses, all of which ath9k reports.

    Raises:
        ValueError: a bandwidth the card does not have.
    """
    _check("the Atheros card", bandwidth_mhz, (20, 40))
    return Grid(centre_hz, bandwidth_mhz, _used(bandwidth_mhz))


def nexmon_grid(*, centre_hz: float = 5.21e9, bandwidth_mhz: int = 80) -> Grid:
    """The 56, 114 or 242 subcarriers that 802.11ac uses; the chip reports guard bins besides.

    Raises:
        ValueError: a bandwidth the chip does not have.
    """
    _check("the Nexmon chip", bandwidth_mhz, (20, 40, 80))
    return Grid(centre_hz, bandwidth_mhz, _used(bandwidth_mhz))


def _used(bandwidth_mhz: int) -> tuple[int, ...]:
    first, last = _EDGES[bandwidth_mhz]
    return (*range(-last, -first + 1), *range(first, last + 1))


def _check(card: str, bandwidth_mhz: int, known: tuple[int, ...]) -> None:
    if bandwidth_mhz not in known:
        there_are = f"{', '.join(map(str, known[:-1]))} or {known[-1]}"
        raise ValueError(f"{card} measures {there_are} MHz, not {bandwidth_mhz}")
