"""What an Atheros AR9xxx makes of a channel: a gain control for every receive chain, and ten bits.

Figures follow the real capture ``csiread_ath_csi_1.dat`` (401 frames, 3 x 2, 56 tones; measured by us):
each chain's integers have an RMS near 160 that changes from packet to packet with a standard deviation of 2.8
to 3.3 dB, skewed to below, each chain for itself and white even 2 ms apart; no integer exceeds 425. The RSSI
of a chain spreads by 0.7 to 0.8 dB, the chains lie up to 17 dB apart, and RSSI says nothing about the level
of the CSI. With the chain's level taken out, amplitudes of a still channel change by 33.3 dB below their RMS.
Its packets came every 2.11 ms, give or take 0.02. The big-endian sample (16 frames) is noisier: 24 to 32 dB.
"""

import numpy as np
import numpy.typing as npt

from drivers.atheros import TONE_KINDS
from drivers.atheros.table import NOISE_FLOOR_DBM
from drivers.frame import FRAME_TABLE, NO_SEQUENCE, FrameBlock, FrameFlag, every_stream
from drivers.simulate.cards.front_end import FrontEnd, made_up_address, pairs, power_dbm
from drivers.simulate.cards.streams import by_streams
from drivers.simulate.grid import Grid
from drivers.simulate.radio import Radio
from drivers.simulate.room import Floats
from drivers.simulate.waves import Complex

RMS = 160.0
"""Size that the gain control of a chain aims at, of a complex value."""
NOISIER_DB = 3.0
"""33.3 dB below the signal in amplitude is an estimate of 30.3 dB, where a good Intel card has 33."""
_LEAST_FIELD, _LARGEST_FIELD = 1, 90
_RATE = 0x8F  # MCS 15: two streams
_TWO_STREAMS = 0x08
_LARGEST = 511
_CLOCK_WRAP_US = 2**32
_PRIMARY_BELOW_MHZ = 10  # the record names the primary 20 MHz channel, here the lower one
_ABOVE, _BELOW, _ROUND = 0.7, 0.94, 0.35  # of the level's spread: where it ends above, how it falls off below


class Atheros:
    """An Atheros card with its own 32-bit clock; it counts nothing.

    Args:
        radio: imperfections.
        grid: subcarriers, from `atheros_grid`.
        seed: of every random number of this card.
        clock_us: where the card's clock stands at the start.
        count: not used, the card has no frame counter.
    """

    def __init__(
        self, radio: Radio, grid: Grid, seed: np.random.SeedSequence, *, clock_us: int = 0, count: int = 0
    ) -> None:
        del count
        self.radio, self.grid = radio, grid
        self._rng = np.random.default_rng(seed)
        self._clock_us, self._frames = clock_us, 0
        self._transmitter = made_up_address(self._rng)
        self._front = FrontEnd(radio, grid, self._rng, target_dbm=-4.0, noisier_db=NOISIER_DB, own_gains=True)

    def measure(self, channel: Complex, times: Floats, heard: npt.NDArray[np.bool_]) -> list[FrameBlock]:
        """As `SimulatedCard.measure`."""
        if not heard.any():
            return []
        channel, times = channel[heard], times[heard]
        dbm = power_dbm(channel, self.radio.transmit_dbm)
        distorted = self._front.distort(channel, times, self._front.gain_db(dbm, times))
        power = dbm - self.radio.transmit_dbm
        size = RMS * 10 ** ((self._level_db(power.shape) - power) / 20)
        raw = pairs(distorted * size.astype(np.float32)[:, None, :, None], _LARGEST).astype(np.int16)
        return self._blocks(self._table(times, dbm), raw)

    def _level_db(self, shape: tuple[int, ...]) -> Floats:
        """Level of each chain in each packet ``[packet, rx]``: mostly near the aim, at times far below."""
        fall = _BELOW * self._rng.exponential(1.0, shape)
        return self.radio.chain_agc_db * (_ABOVE - fall + _ROUND * self._rng.normal(0, 1, shape))

    def _table(self, times: Floats, dbm: Floats) -> npt.NDArray[np.void]:
        """One row a frame; the card reports RSSI a chain, but no noise, no gain and no counter."""
        table = np.zeros(len(times), FRAME_TABLE)
        table["sequence"] = NO_SEQUENCE
        clock_us = self._clock_us + np.rint(times * 1e6).astype(np.int64)
        table["capture_ns"] = clock_us % _CLOCK_WRAP_US * 1000
        field = dbm - NOISE_FLOOR_DBM + self._rng.normal(0, self.radio.rssi_jitter_db, dbm.shape)
        table["rssi_dbm"] = np.nan
        table["rssi_dbm"][:, : dbm.shape[1]] = (
            np.rint(field).clip(_LEAST_FIELD, _LARGEST_FIELD) + NOISE_FLOOR_DBM
        )
        table["noise_dbm"] = np.nan
        table["rate"] = _RATE
        table["transmitter"] = self._transmitter
        table["centre_mhz"] = round(self.grid.centre_hz / 1e6)
        if self.grid.bandwidth_mhz == 40:
            table["flags"] = FrameFlag.HT40
            table["centre_mhz"] -= _PRIMARY_BELOW_MHZ
        return table

    def _blocks(self, table: npt.NDArray[np.void], raw: npt.NDArray[np.int16]) -> list[FrameBlock]:
        """One block a shape: most frames have every stream, some only the first."""
        single = self._rng.random(len(table)) < self.radio.single_stream
        single |= raw.shape[3] == 1
        table["rate"] = np.where(single, table["rate"] & ~np.uint16(_TWO_STREAMS), table["rate"])
        index = np.arange(self._frames, self._frames + len(table), dtype=np.int64)
        self._frames += len(table)
        whole = FrameBlock(
            nic="atheros",
            table=table,
            raw=raw,
            subcarrier_index=np.asarray(self.grid.index, np.int16),
            tones=TONE_KINDS[raw.shape[1]],
            bandwidth_mhz=self.grid.bandwidth_mhz,
            present=every_stream([True] * raw.shape[2], raw.shape[3]),
            index=index,
        )
        return by_streams(whole, single)
