"""What an Intel 5300 makes of a channel: phase errors, gain control, noise, eight bits.

Figures follow real captures: the gain control brings the strongest antenna to an RSSI field of 40, in
steps of 1 dB; CSI integers then have an RMS near 28; a still channel shows an estimation noise of about
33 dB below the signal; at -37 dBm the AGC field reads 37.
"""

from dataclasses import replace

import numpy as np
import numpy.typing as npt

from drivers.frame import FRAME_TABLE, FrameBlock, FrameFlag, Tone, every_stream
from drivers.simulate.gain import MAX_AGC_DB, GainControl, gain_jumps, interference
from drivers.simulate.grid import Grid
from drivers.simulate.path import smooth_noise
from drivers.simulate.radio import Radio
from drivers.simulate.room import Floats
from drivers.simulate.waves import Complex, turn

ANTENNAS = 3
"""Antenna rows of every frame; those the scene does not have are padded with zeros."""
TARGET_RSSI = 40
"""RSSI field that the gain control aims at for the strongest antenna."""
RSSI_OFFSET_DB = 44
"""dBm = RSSI field - 44 - AGC (Halperin, get_total_rss.m)."""
_TARGET_DBM = TARGET_RSSI - RSSI_OFFSET_DB
_FULL = 40.0  # size of an integer pair on the strongest antenna
_RATE = 0x210F  # HT, short guard interval, MCS 15: two streams
_TWO_STREAMS, _HT40 = 0x0008, 0x0800


class Intel5300:
    """An Intel 5300 with its own clock, counter and gain control; call `measure` chunk after chunk.

    Args:
        radio: imperfections.
        grid: subcarriers, from `intel5300_grid`.
        seed: of every random number of this card.
        clock_us: where the NIC's clock stands at the start (it wraps at 32 bits on the wire).
        count: where the frame counter stands at the start (16 bits on the wire).
    """

    def __init__(
        self, radio: Radio, grid: Grid, seed: np.random.SeedSequence, *, clock_us: int = 0, count: int = 0
    ) -> None:
        self.radio, self.grid = radio, grid
        self._rng = np.random.default_rng(seed)
        self._clock_us, self._count, self._frames = clock_us, count, 0
        self._gain = GainControl(_TARGET_DBM)
        self._bursts, self._jumps = interference(radio), gain_jumps(radio)
        self._step_db = self._rng.uniform(-0.5, 0.5, (MAX_AGC_DB + 1, ANTENNAS, 3)) * radio.step_db
        self._wander = self._rng.random((6, ANTENNAS * 3))
        self._wander_s = float(self._rng.uniform(0.3, 3.0))

    def measure(self, channel: Complex, times: Floats, heard: npt.NDArray[np.bool_]) -> list[FrameBlock]:
        """Frames that the card reports for this channel.

        Args:
            channel: complex64 ``[packet, subcarrier, rx, tx]``, path gain in amplitude.
            times: seconds since the start ``[packet]``, not falling.
            heard: which packets reach the log; the others only count, as frames lost on the way do.

        Returns:
            Blocks of one shape each, ordered by their first frame; ``capture_ns`` is the NIC's clock.
        """
        sequence = self._count + np.arange(len(times), dtype=np.int64)
        self._count += len(times)
        if not heard.any():
            return []
        channel, times, sequence = channel[heard], times[heard], sequence[heard]
        dbm = _power_dbm(channel, self.radio.transmit_dbm)
        agc = self._gain.follow(dbm.max(axis=1), self._rng) + self._jumps.at(times, self._rng).astype(int)
        agc = np.clip(agc, 0, MAX_AGC_DB)
        raw = _quantise(self._distort(channel, times, agc), agc + self.radio.transmit_dbm - _TARGET_DBM)
        return self._blocks(self._table(times, sequence, dbm, agc), raw)

    def _distort(self, channel: Complex, times: Floats, agc: npt.NDArray[np.int64]) -> Complex:
        """Channel with everything the card does to it before it counts bits, level kept."""
        packets, _, rx, tx = channel.shape
        level = self._rng.normal(0, self.radio.gain_jitter_db, (packets, 1, 1))
        level = level + self._rng.normal(0, self.radio.chain_jitter_db, (packets, rx, tx))
        wander = smooth_noise(times, self._wander[:, : rx * tx], self._wander_s)
        level += self.radio.wander_db * wander.reshape(packets, rx, tx) + self._step_db[agc, :rx, :tx]
        noise = self._rng.standard_normal((*channel.shape, 2), np.float32).view(np.complex64)[..., 0]
        noise *= self._noise(channel, times).astype(np.float32)[:, None, None, None]
        distorted = channel * (10 ** (level[:, None] / 20)).astype(np.float32) + noise
        distorted *= self._phase(times)[:, :, None, None]
        return np.ascontiguousarray(distorted)

    def _noise(self, channel: Complex, times: Floats) -> Floats:
        """Size of the noise in each of real and imaginary part, ``[packet]``."""
        power = (channel.real**2 + channel.imag**2).mean(axis=(1, 2, 3))
        below_db = self.radio.csi_snr_db - self._bursts.at(times, self._rng)
        thermal = 10 ** ((self.radio.noise_dbm - self.radio.transmit_dbm) / 10)
        return np.asarray(np.sqrt((power * 10 ** (-below_db / 10) + thermal) / 2), np.float64)

    def _phase(self, times: Floats) -> Complex:
        """Carrier offset (a random phase a packet), sampling offset and detection delay."""
        carrier = self._rng.random(len(times)) + self.radio.cfo_hz * times
        delay = self._rng.normal(0, self.radio.detection_s, len(times)) + 2 * self.radio.detection_s
        delay += (self.radio.sfo_ppm * 1e-6 * times) % 50e-9
        return turn(carrier[:, None] + delay[:, None] * self.grid.offset_hz)

    def _table(
        self, times: Floats, sequence: npt.NDArray[np.int64], dbm: Floats, agc: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.void]:
        """One row a frame; RSSI is what the card's whole numbers say, not the true power."""
        table = np.zeros(len(times), FRAME_TABLE)
        table["sequence"] = sequence
        table["capture_ns"] = (self._clock_us + np.rint(times * 1e6).astype(np.int64)) * 1000
        field = np.clip(np.rint(dbm + RSSI_OFFSET_DB + agc[:, None]), 1, 255)
        table["rssi_dbm"] = np.nan
        table["rssi_dbm"][:, : dbm.shape[1]] = field - RSSI_OFFSET_DB - agc[:, None]
        noise_dbm = self.radio.noise_dbm + self._rng.normal(0, 0.8, len(times))
        table["noise_dbm"] = np.rint(noise_dbm).clip(-126, 0)
        table["agc_db"] = agc
        wide = self.grid.bandwidth_mhz == 40
        table["rate"] = _RATE | _HT40 if wide else _RATE
        table["flags"] = int(FrameFlag.HT40 if wide else FrameFlag.NONE)
        return table

    def _blocks(self, table: npt.NDArray[np.void], raw: npt.NDArray[np.int8]) -> list[FrameBlock]:
        """One block a shape: most frames have every stream, some only the first."""
        single = self._rng.random(len(table)) < self.radio.single_stream
        single |= raw.shape[3] == 1
        table["rate"] = np.where(single, table["rate"] & ~np.uint16(_TWO_STREAMS), table["rate"])
        index = np.arange(self._frames, self._frames + len(table), dtype=np.int64)
        self._frames += len(table)
        used = np.arange(ANTENNAS) < raw.shape[2]
        padded = np.zeros((*raw.shape[:2], ANTENNAS, *raw.shape[3:]), np.int8)
        padded[:, :, : raw.shape[2]] = raw
        whole = FrameBlock(
            nic="intel5300",
            table=table,
            raw=padded,
            subcarrier_index=np.asarray(self.grid.index, np.int16),
            tones=np.full(raw.shape[1], Tone.DATA, np.uint8),
            bandwidth_mhz=self.grid.bandwidth_mhz,
            present=every_stream(used, raw.shape[3]),
            index=index,
        )
        if raw.shape[3] == 1 or not single.any():
            return [whole]
        first_stream = np.ascontiguousarray(padded[single][:, :, :, :1])
        few = replace(
            whole, table=table[single], raw=first_stream, present=whole.present[:, :1], index=index[single]
        )
        parts = [whole.take(~single), few]
        return sorted((part for part in parts if len(part)), key=lambda part: int(part.index[0]))


def _power_dbm(channel: Complex, transmit_dbm: float) -> Floats:
    """Received power per antenna ``[packet, rx]``, dBm."""
    square = (channel.real**2 + channel.imag**2).mean(axis=(1, 3), dtype=np.float64)
    return np.asarray(10 * np.log10(np.maximum(square, 1e-20)) + transmit_dbm, np.float64)


def _quantise(channel: Complex, gain_db: Floats) -> npt.NDArray[np.int8]:
    """Integers ``[packet, subcarrier, rx, tx, 2]`` after this gain ``[packet]``; they saturate."""
    scaled = channel * (_FULL * 10 ** (gain_db / 20)).astype(np.float32)[:, None, None, None]
    pairs = scaled.view(np.float32).reshape(*channel.shape, 2)
    return np.asarray(np.clip(np.rint(pairs), -127, 127), np.int8)
