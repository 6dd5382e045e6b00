"""What a BCM43455c0 with Nexmon makes of a channel: one antenna, every bin of the FFT, the host's clock.

Figures follow real captures of that chip, measured by us: over the bins that a frame fills, values have an
RMS of 608 (``csidata_walk_1597159475.pcap``) to 1058 (``csikit_example_43455c0.pcap``) whatever the RSSI; it
changes by 0.4 to 1.3 dB from packet to packet, and no part exceeds 3391 of the 8191 that 14 bits hold.
Amplitudes of a still channel change by 25 dB (80 MHz), 26 dB (40 MHz) and 28 to 34 dB (the "plus" firmware)
below their RMS: white, the same one and sixty packets apart. Frames sent every 10 ms were stamped 10.00 ms
apart with a standard deviation of 0.5 ms (half of them within 0.16), since the host's arrival is the only
clock. Guard bins hold constants of up to ±8191 that never change, but the two next to the data small noise.
Three bins are overwritten by the PHY status; the second holds the RSSI in its highest byte. The 802.11
sequence number of data frames moved by more than one in 9 of 100 (``csiexplorer_open.pcap``); here, too, the
sender counts frames to others.
"""

import numpy as np
import numpy.typing as npt

from drivers.frame import FRAME_TABLE, FrameBlock, every_stream
from drivers.simulate.cards.fft_bins import FftBins
from drivers.simulate.cards.front_end import FrontEnd, made_up_address, pairs, power_dbm
from drivers.simulate.grid import Grid
from drivers.simulate.radio import Radio
from drivers.simulate.room import Floats
from drivers.simulate.waves import Complex

RMS = 800.0
"""Size of a complex value when the gain control has done its work."""
NOISIER_DB = 8.0
"""28 dB below the signal in amplitude is an estimate of 25 dB, where a good Intel card has 33."""
HOST_EPOCH_US = 1_600_000_000_000_000
"""Unix time from which `clock_us` counts: a capture of this NIC holds wall-clock time."""
_TARGET_DBM = -4.0
_LARGEST = 8191


class Nexmon:
    """A Broadcom chip with one antenna that reports by UDP to its own host.

    Args:
        radio: imperfections.
        grid: subcarriers, from `nexmon_grid`.
        seed: of every random number of this card.
        clock_us: where the host's clock stands at the start, counted from `HOST_EPOCH_US`.
        count: where the sender's 802.11 sequence number stands at the start (12 bits on the wire).
    """

    def __init__(
        self, radio: Radio, grid: Grid, seed: np.random.SeedSequence, *, clock_us: int = 0, count: int = 0
    ) -> None:
        self.radio, self.grid = radio, grid
        self._rng = np.random.default_rng(seed)
        self._clock_us, self._count, self._frames = HOST_EPOCH_US + clock_us, count, 0
        self._stamped = 0
        self._bins = FftBins(grid, self._rng)
        self._transmitter = made_up_address(self._rng)
        self._front = FrontEnd(radio, grid, self._rng, target_dbm=_TARGET_DBM, noisier_db=NOISIER_DB)

    def measure(self, channel: Complex, times: Floats, heard: npt.NDArray[np.bool_]) -> list[FrameBlock]:
        """As `SimulatedCard.measure`.

        Raises:
            ValueError: the channel has more than one antenna or stream.
        """
        if channel.shape[2:] != (1, 1):
            raise ValueError(f"this card has one antenna and one stream, not {channel.shape[2:]}")
        steps = 1 + self._rng.poisson(self.radio.other_frames, len(times))
        sequence = self._count + np.cumsum(steps)
        self._count = int(sequence[-1])
        if not heard.any():
            return []
        channel, times, sequence = channel[heard], times[heard], sequence[heard]
        dbm = power_dbm(channel, self.radio.transmit_dbm)
        gain = self._front.gain_db(dbm, times)
        distorted = self._front.distort(channel, times, gain)
        size = RMS * 10 ** ((gain + self.radio.transmit_dbm - _TARGET_DBM) / 20)
        raw = pairs(distorted * size.astype(np.float32)[:, None, None, None], _LARGEST).astype(np.int16)
        return [self._block(self._table(times, sequence, dbm), raw)]

    def _table(self, times: Floats, sequence: npt.NDArray[np.int64], dbm: Floats) -> npt.NDArray[np.void]:
        """One row a frame, as header and capture file say it."""
        table = np.zeros(len(times), FRAME_TABLE)
        table["sequence"] = sequence & 0xFFF
        table["capture_ns"] = self._stamps_us(times) * 1000
        rssi = dbm[:, 0] + self._rng.normal(0, self.radio.rssi_jitter_db, len(times))
        table["rssi_dbm"] = np.nan
        table["rssi_dbm"][:, 0] = np.rint(rssi).clip(-120, -1)
        table["noise_dbm"] = np.nan
        table["transmitter"] = self._transmitter
        table["centre_mhz"] = round(self.grid.centre_hz / 1e6)
        return table

    def _stamps_us(self, times: Floats) -> npt.NDArray[np.int64]:
        """When the host stamps each frame, microseconds of Unix time: a little late, never out of order."""
        late = self._rng.exponential(self.radio.host_delay_s, len(times))
        stamps = self._clock_us + np.rint((times + late) * 1e6).astype(np.int64)
        stamps = np.maximum.accumulate(np.maximum(stamps, self._stamped))
        self._stamped = int(stamps[-1])
        return stamps

    def _block(self, table: npt.NDArray[np.void], raw: npt.NDArray[np.int16]) -> FrameBlock:
        index = np.arange(self._frames, self._frames + len(table), dtype=np.int64)
        self._frames += len(table)
        return FrameBlock(
            nic="nexmon",
            table=table,
            raw=self._bins.filled(raw, table["rssi_dbm"][:, 0].astype(np.int16), self._rng),
            subcarrier_index=self._bins.index,
            tones=self._bins.tones,
            bandwidth_mhz=self.grid.bandwidth_mhz,
            present=every_stream([True], 1),
            index=index,
        )
