"""All bins of a Nexmon record: data in FFT order, guard bins with what they hold, PHY status on top."""

import numpy as np
import numpy.typing as npt

from drivers.frame import Tone
from drivers.nexmon.tones import subcarrier_index, tones
from drivers.simulate.grid import Grid

Pairs = npt.NDArray[np.int16]

_FILL = -32640  # 0x8080 behind the RSSI
_KINDS = (128, 1152)  # what the third word says, by turns
_BESIDE = 2  # guard bins next to the data hold small noise, those further out constants
_LARGEST = 8191
_BESIDE_RMS = 20.0


class FftBins:
    """Where each bin of the record stands and what it holds besides the channel.

    Args:
        grid: used subcarriers, rising.
        rng: draws the constants of this card.

    Attributes:
        index: int16 ``[bin]``, signed offset from the carrier in FFT order (0, 1 .. N/2-1, -N/2 .. -1).
        tones: uint8 ``[bin]`` of `Tone`.
    """

    def __init__(self, grid: Grid, rng: np.random.Generator) -> None:
        self.index = subcarrier_index(grid.bandwidth_mhz)
        self.tones = tones(grid.bandwidth_mhz, overwritten=True)
        bins, used = len(self.index), np.asarray(grid.index)
        self._used = used % bins
        self._status = np.flatnonzero(self.tones == Tone.OVERWRITTEN)
        self._beside = self._noisy_bins(used, bins)
        self._constant = rng.integers(-_LARGEST, _LARGEST + 1, (bins, 2)).astype(np.int16)
        self._first_word = int(rng.integers(-_LARGEST, _LARGEST + 1))

    def _noisy_bins(self, used: npt.NDArray[np.int64], bins: int) -> npt.NDArray[np.int64]:
        """Guard bins at most two away from data, and those around the carrier."""
        guard = np.setdiff1d(np.arange(-bins // 2, bins // 2), used)
        near = np.abs(guard[:, None] - used).min(axis=1) <= _BESIDE
        return np.asarray(guard[near] % bins, np.int64)

    def filled(self, measured: Pairs, rssi_dbm: npt.NDArray[np.int16], rng: np.random.Generator) -> Pairs:
        """Whole records.

        Args:
            measured: the channel ``[frame, subcarrier, 1, 1, 2]`` in the grid's order.
            rssi_dbm: RSSI of each frame ``[frame]``.
            rng: noise of the guard bins.

        Returns:
            int16 ``[frame, bin, 1, 1, 2]`` in FFT order.
        """
        frames = len(measured)
        raw = np.empty((frames, len(self.index), 1, 1, 2), np.int16)
        raw[:, :, 0, 0] = self._constant
        noise = rng.normal(0, _BESIDE_RMS / np.sqrt(2), (frames, len(self._beside), 2))
        raw[:, self._beside, 0, 0] = np.rint(noise).astype(np.int16)
        raw[:, self._used] = measured
        raw[:, self._status, 0, 0] = self._status_words(rssi_dbm, rng)
        return raw

    def _status_words(self, rssi_dbm: npt.NDArray[np.int16], rng: np.random.Generator) -> Pairs:
        """Twelve bytes of PHY status ``[frame, 3, 2]``, as far as their meaning is known."""
        words = np.zeros((len(rssi_dbm), len(self._status), 2), np.int16)
        words[:, 0, 0] = self._first_word
        words[:, 1, 0], words[:, 1, 1] = rssi_dbm * 256, _FILL
        words[:, 2, 0] = rng.choice(_KINDS, len(rssi_dbm))
        return words
