"""What an Intel 5300 makes of a channel: one gain control for all antennas, and eight bits.

Figures follow real captures: the gain control brings the strongest antenna to an RSSI field of 40, in
steps of 1 dB; CSI integers then have an RMS near 28; a still channel shows an estimation noise of about
33 dB below the signal; at -37 dBm the AGC field reads 37.
"""

import numpy as np
import numpy.typing as npt

from drivers.frame import FRAME_TABLE, FrameBlock, FrameFlag, Tone, every_stream
from drivers.simulate.cards.front_end import FrontEnd, pairs, power_dbm
from drivers.simulate.cards.streams import by_streams
from drivers.simulate.grid import Grid
from drivers.simulate.radio import Radio
from drivers.simulate.room import Floats
from drivers.simulate.waves import Complex

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
        self._front = FrontEnd(radio, grid, self._rng, target_dbm=_TARGET_DBM)

    def measure(self, channel: Complex, times: Floats, heard: npt.NDArray[np.bool_]) -> list[FrameBlock]:
        """As `SimulatedCard.measure`."""
        sequence = self._count + np.arange(len(times), dtype=np.int64)
        self._count += len(times)
        if not heard.any():
            return []
        channel, times, sequence = channel[heard], times[heard], sequence[heard]
        dbm = power_dbm(channel, self.radio.transmit_dbm)
        agc = self._front.gain_db(dbm, times)
        distorted = self._front.distort(channel, times, agc)
        raw = _quantise(distorted, agc + self.radio.transmit_dbm - _TARGET_DBM)
        return self._blocks(self._table(times, sequence, dbm, agc), raw)

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
        return by_streams(whole, single)


def _quantise(channel: Complex, gain_db: npt.NDArray[np.floating]) -> npt.NDArray[np.int8]:
    """Integers ``[packet, subcarrier, rx, tx, 2]`` after this gain ``[packet]``; they saturate."""
    scaled = channel * (_FULL * 10 ** (gain_db / 20)).astype(np.float32)[:, None, None, None]
    return pairs(scaled, 127).astype(np.int8)
