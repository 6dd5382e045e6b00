"""What every card's receiver does to a channel before it counts bits: gain, noise, phase."""

import numpy as np
import numpy.typing as npt

from drivers.simulate.gain import MAX_AGC_DB, GainControl, gain_jumps, interference
from drivers.simulate.grid import Grid
from drivers.simulate.path import smooth_noise
from drivers.simulate.radio import Radio
from drivers.simulate.room import Floats
from drivers.simulate.waves import Complex, turn

CHAINS = 3
"""Most receive antennas, and most streams, of any simulated card."""


class FrontEnd:
    """Receiver of one card: everything between antenna and integers that the cards have in common.

    Args:
        radio: imperfections.
        grid: subcarriers.
        rng: every random number of this card comes from it.
        target_dbm: level to which the gain control brings the strongest antenna.
        noisier_db: how much noisier this card's estimate is than `Radio.csi_snr_db` says.
        own_gains: whether each antenna has a gain control of its own, so that the estimate's noise follows
            the antenna's level and not the packet's.
    """

    def __init__(
        self,
        radio: Radio,
        grid: Grid,
        rng: np.random.Generator,
        *,
        target_dbm: float,
        noisier_db: float = 0.0,
        own_gains: bool = False,
    ) -> None:
        self.radio, self.grid, self.rng = radio, grid, rng
        self._noisier_db = noisier_db
        self._over = (1, 3) if own_gains else (1, 2, 3)
        self._gain = GainControl(target_dbm)
        self._bursts, self._jumps = interference(radio), gain_jumps(radio)
        self._step_db = rng.uniform(-0.5, 0.5, (MAX_AGC_DB + 1, CHAINS, CHAINS)) * radio.step_db
        self._wander = rng.random((6, CHAINS * CHAINS))
        self._wander_s = float(rng.uniform(0.3, 3.0))

    def gain_db(self, dbm: Floats, times: Floats) -> npt.NDArray[np.int64]:
        """Gain of each packet whose antennas have this power ``[packet, rx]``, whole dB."""
        gain = self._gain.follow(dbm.max(axis=1), self.rng) + self._jumps.at(times, self.rng).astype(int)
        return np.asarray(np.clip(gain, 0, MAX_AGC_DB), np.int64)

    def distort(self, channel: Complex, times: Floats, gain_db: npt.NDArray[np.int64]) -> Complex:
        """Channel with everything the receiver does to it, level kept."""
        packets, _, rx, tx = channel.shape
        level = self.rng.normal(0, self.radio.gain_jitter_db, (packets, 1, 1))
        level = level + self.rng.normal(0, self.radio.chain_jitter_db, (packets, rx, tx))
        wander = smooth_noise(times, self._wander[:, : rx * tx], self._wander_s)
        level += self.radio.wander_db * wander.reshape(packets, rx, tx) + self._step_db[gain_db, :rx, :tx]
        noise = self.rng.standard_normal((*channel.shape, 2), np.float32).view(np.complex64)[..., 0]
        noise *= self._noise(channel, times)
        distorted = channel * (10 ** (level[:, None] / 20)).astype(np.float32) + noise
        distorted *= self._phase(times)[:, :, None, None]
        return np.ascontiguousarray(distorted)

    def _noise(self, channel: Complex, times: Floats) -> npt.NDArray[np.float32]:
        """Size of the noise in each of real and imaginary part, ``[packet, 1, rx or 1, 1]``."""
        power = (channel.real**2 + channel.imag**2).mean(axis=self._over, keepdims=True)
        below_db = self.radio.csi_snr_db - self._noisier_db - self._bursts.at(times, self.rng)
        thermal = 10 ** ((self.radio.noise_dbm - self.radio.transmit_dbm) / 10)
        share = 10 ** (-below_db / 10)[:, None, None, None]
        return np.asarray(np.sqrt((power * share + thermal) / 2), np.float32)

    def _phase(self, times: Floats) -> Complex:
        """Carrier offset (a random phase a packet), sampling offset and detection delay."""
        carrier = self.rng.random(len(times)) + self.radio.cfo_hz * times
        delay = self.rng.normal(0, self.radio.detection_s, len(times)) + 2 * self.radio.detection_s
        delay += (self.radio.sfo_ppm * 1e-6 * times) % 50e-9
        return turn(carrier[:, None] + delay[:, None] * self.grid.offset_hz)


def made_up_address(rng: np.random.Generator) -> int:
    """A locally administered MAC address, which no real card has."""
    return 0x020000000000 | int(rng.integers(2**40))


def power_dbm(channel: Complex, transmit_dbm: float) -> Floats:
    """Received power per antenna ``[packet, rx]``, dBm."""
    square = (channel.real**2 + channel.imag**2).mean(axis=(1, 3), dtype=np.float64)
    return np.asarray(10 * np.log10(np.maximum(square, 1e-20)) + transmit_dbm, np.float64)


def pairs(channel: Complex, limit: int) -> npt.NDArray[np.float32]:
    """Whole numbers ``[packet, subcarrier, rx, tx, 2]``, real before imaginary; they saturate at ±`limit`."""
    parts = np.ascontiguousarray(channel).view(np.float32).reshape(*channel.shape, 2)
    return np.clip(np.rint(parts), -limit, limit)
