"""What an Intel 5300 makes of a channel: phase errors, gain control, noise, eight bits.

Figures follow real captures: the gain control brings the strongest antenna to an RSSI field of 40, in
steps of 1 dB; CSI integers then have an RMS near 28; a still channel shows an estimation noise of about
33 dB below the signal, and a gain step that changes the antennas by a fraction of a decibel.
"""

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from drivers.frame import FRAME_TABLE, FrameBlock, FrameFlag
from drivers.simulate.channel import Complex, turn
from drivers.simulate.grid import Grid
from drivers.simulate.path import smooth_noise
from drivers.simulate.room import Floats

TARGET_RSSI = 40
"""RSSI field that the gain control aims at for the strongest antenna."""
RSSI_OFFSET_DB = 44
"""dBm = RSSI field - 44 - AGC (Halperin, get_total_rss.m)."""
_RATE_20, _RATE_40 = 0x210F, 0x290F  # HT, short guard interval, MCS 15: two streams


@dataclass(frozen=True, slots=True)
class Radio:
    """Imperfections of one card in one place.

    Attributes:
        transmit_dbm: power of the sender.
        noise_dbm: noise floor.
        csi_snr_db: estimation noise below the signal (phase noise, distortion), whatever the power.
        gain_jitter_db: random level of each packet, common to all antennas.
        chain_jitter_db: random level of each stream in each packet.
        wander_db: slow random level of each stream (supply, temperature, mixer).
        step_db: how much a gain step changes one antenna against another, at most.
        agc_jump_rate: jumps of the gain control a second; each lasts a few packets.
        burst_rate: bursts of interference a second.
        burst_db: how much a burst raises the estimation noise.
        burst_s: mean length of a burst.
        cfo_hz: carrier frequency offset.
        sfo_ppm: sampling frequency offset.
        detection_s: spread of the moment a packet is detected.
        single_stream: share of packets sent with one stream only (3x1 among 3x2).
    """

    transmit_dbm: float = 15.0
    noise_dbm: float = -93.0
    csi_snr_db: float = 33.0
    gain_jitter_db: float = 0.15
    chain_jitter_db: float = 0.06
    wander_db: float = 0.05
    step_db: float = 0.25
    agc_jump_rate: float = 0.02
    burst_rate: float = 0.05
    burst_db: float = 10.0
    burst_s: float = 0.05
    cfo_hz: float = 2000.0
    sfo_ppm: float = 5.0
    detection_s: float = 25e-9
    single_stream: float = 0.0


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
        self._clock_us, self._count = clock_us, count
        self._frames = 0
        self._burst_until, self._jump_until, self._jump_db = -1.0, -1.0, 0
        self._last = 0.0
        self._step_gain = self._rng.uniform(-1, 1, (64, 3, 2)) * radio.step_db / 2
        self._wander = self._rng.random((6, 6))
        self._wander_s = float(self._rng.uniform(0.3, 3.0))
        self._agc_db: int | None = None

    def measure(self, channel: Complex, times: Floats, heard: npt.NDArray[np.bool_]) -> list[FrameBlock]:
        """Frames that the card reports for this channel.

        Args:
            channel: complex64 ``[packet, subcarrier, rx, tx]``, path gain in amplitude.
            times: seconds since the start ``[packet]``, not falling.
            heard: which packets arrive; the others only count.

        Returns:
            Blocks of one shape each, ordered by their first frame; ``capture_ns`` is the NIC's clock.
        """
        sequence = self._count + np.cumsum(np.ones(len(times), np.int64)) - 1
        self._count += len(times)
        if not heard.any():
            return []
        channel, times, sequence = channel[heard], times[heard], sequence[heard]
        bursts, jumps = self._disturbances(times)
        dbm = self._power(channel)
        agc = self._gain_control(dbm.max(axis=1), jumps)
        raw = self._quantise(self._distort(channel, times, bursts, agc), dbm, agc)
        table = self._table(times, sequence, dbm, agc)
        return self._blocks(table, raw)

    def _power(self, channel: Complex) -> Floats:
        """Received power per antenna ``[packet, rx]``, dBm."""
        square = channel.real**2 + channel.imag**2
        mean: Floats = square.mean(axis=1, dtype=np.float64).mean(axis=-1)
        return np.asarray(10 * np.log10(np.maximum(mean, 1e-20)) + self.radio.transmit_dbm)

    def _gain_control(self, strongest_dbm: Floats, jumps: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Gain in whole decibels: it holds until the level has moved by more than 0.7 dB."""
        wanted = TARGET_RSSI - RSSI_OFFSET_DB - strongest_dbm + self._rng.normal(0, 0.08, len(strongest_dbm))
        gain = round(float(wanted[0])) if self._agc_db is None else self._agc_db
        held = np.empty(len(wanted), np.int64)
        for row, want in enumerate(wanted.tolist()):
            if abs(want - gain) > 0.7:
                gain = round(want)
            held[row] = gain
        self._agc_db = gain
        return np.clip(held + jumps, 0, 63)

    def _disturbances(self, times: Floats) -> tuple[Floats, npt.NDArray[np.int64]]:
        """Extra noise in dB and extra gain in dB of each packet."""
        burst, jump = np.zeros(len(times)), np.zeros(len(times), np.int64)
        for row, now in enumerate(times.tolist()):
            passed, self._last = now - self._last, now
            if self._rng.random() < self.radio.burst_rate * passed:
                self._burst_until = now + float(self._rng.exponential(self.radio.burst_s))
            if self._rng.random() < self.radio.agc_jump_rate * passed:
                self._jump_until = now + float(self._rng.exponential(0.2))
                self._jump_db = int(self._rng.integers(2, 6)) * int(self._rng.choice([-1, 1]))
            burst[row] = self.radio.burst_db * (now <= self._burst_until)
            jump[row] = self._jump_db * (now <= self._jump_until)
        return burst, jump

    def _distort(
        self, channel: Complex, times: Floats, burst_db: Floats, agc: npt.NDArray[np.int64]
    ) -> Complex:
        """Channel with everything the card does to it before it counts bits, level kept."""
        packets, _, rx, tx = channel.shape
        level = self._rng.normal(0, self.radio.gain_jitter_db, (packets, 1, 1)) + self._rng.normal(
            0, self.radio.chain_jitter_db, (packets, rx, tx)
        )
        wander = smooth_noise(times, self._wander[:, : rx * tx], self._wander_s)
        level += self.radio.wander_db * wander.reshape(packets, rx, tx)
        gain = 10 ** ((level + self._step_gain[agc][:, :rx, :tx]) / 20)
        power = (channel.real**2 + channel.imag**2).mean(axis=(1, 2, 3))
        thermal = 10 ** ((self.radio.noise_dbm - self.radio.transmit_dbm) / 10)
        spread = np.sqrt((power * 10 ** ((burst_db - self.radio.csi_snr_db) / 10) + thermal) / 2)
        noise = self._rng.standard_normal((*channel.shape, 2), np.float32).view(np.complex64)[..., 0]
        noise *= spread[:, None, None, None].astype(np.float32)
        distorted = channel * gain[:, None].astype(np.float32) + noise
        distorted *= self._phase(times)[:, :, None, None]
        return distorted

    def _phase(self, times: Floats) -> Complex:
        """Carrier offset (a random phase a packet), sampling offset and detection delay."""
        carrier = self._rng.random(len(times)) + self.radio.cfo_hz * times
        delay = self._rng.normal(0, self.radio.detection_s, len(times)) + 50e-9
        delay += (self.radio.sfo_ppm * 1e-6 * times) % 50e-9
        return turn(carrier[:, None] + delay[:, None] * self.grid.offset_hz)

    def _quantise(self, channel: Complex, dbm: Floats, agc: npt.NDArray[np.int64]) -> npt.NDArray[np.int8]:
        """Integers ``[packet, subcarrier, rx, tx, 2]``; a gain of `agc` brings -agc - 4 dBm to an RMS near 28."""
        full = 40.0 * 10 ** ((agc - (TARGET_RSSI - RSSI_OFFSET_DB) + self.radio.transmit_dbm) / 20)
        scaled = np.ascontiguousarray(channel * full[:, None, None, None].astype(np.float32))
        pairs = scaled.view(np.float32).reshape(*scaled.shape, 2)
        return np.clip(np.rint(pairs), -127, 127).astype(np.int8)

    def _table(
        self, times: Floats, sequence: npt.NDArray[np.int64], dbm: Floats, agc: npt.NDArray[np.int64]
    ) -> npt.NDArray[np.void]:
        """One row a frame; RSSI is what the card's whole numbers say, not the true power."""
        table = np.zeros(len(times), FRAME_TABLE)
        table["sequence"] = sequence
        table["capture_ns"] = (self._clock_us + np.rint(times * 1e6).astype(np.int64)) * 1000
        table["rssi_dbm"] = np.nan
        field = np.clip(np.rint(dbm + RSSI_OFFSET_DB + agc[:, None]), 1, 255)
        table["rssi_dbm"][:, : dbm.shape[1]] = field - RSSI_OFFSET_DB - agc[:, None]
        table["noise_dbm"] = np.rint(self.radio.noise_dbm + self._rng.normal(0, 0.8, len(times)))
        table["agc_db"] = agc
        wide = self.grid.bandwidth_mhz == 40
        table["rate"] = _RATE_40 if wide else _RATE_20
        table["flags"] = int(FrameFlag.HT40 if wide else FrameFlag.NONE)
        return table

    def _blocks(self, table: npt.NDArray[np.void], raw: npt.NDArray[np.int8]) -> list[FrameBlock]:
        """One block a shape: most frames have every stream, some only the first."""
        index = np.arange(self._frames, self._frames + len(table), dtype=np.int64)
        self._frames += len(table)
        block = FrameBlock(
            nic="intel5300",
            table=table,
            raw=raw,
            subcarrier_index=np.asarray(self.grid.index, np.int16),
            bandwidth_mhz=self.grid.bandwidth_mhz,
            antennas_used=np.ones(raw.shape[2], np.bool_),
            index=index,
        )
        single = self._rng.random(len(table)) < self.radio.single_stream
        if not single.any() or raw.shape[3] == 1:
            return [block]
        few = block.take(single)
        few.table["rate"] = few.table["rate"] & ~np.uint16(0x18) | np.uint16(0x00)
        parts = [block.take(~single), replace(few, raw=np.ascontiguousarray(few.raw[..., :1, :]))]
        return sorted((part for part in parts if len(part)), key=lambda part: int(part.index[0]))
