"""CSI that a data set keeps as arrays: back into frames, for the code that serves to cut and measure."""

import numpy as np
import numpy.typing as npt

from drivers.batch import in_slots
from drivers.esp32.tones import BINS, subcarriers
from drivers.esp32.tones import tones as esp32_tones
from drivers.frame import FRAME_TABLE, FrameBlock
from drivers.nexmon.tones import subcarrier_index
from drivers.nexmon.tones import tones as nexmon_tones
from models.data.windows import windows_of
from models.signal.window import Window, WindowSpec

_ABOVE_BAND = 59
"""First bin above the band in rising order; counted from the carrier upwards it is within the band."""


def esp32_block(values: npt.NDArray[np.int8], time_ns: npt.NDArray[np.int64], rssi: np.ndarray) -> FrameBlock:
    """Frames of an ESP32 from the bytes of its log, ``[frame, 128]``: imaginary part before the real one.

    Which order the bins stand in is seen from the guard band, where the card writes zeros.
    """
    pairs = values.reshape(len(values), BINS, 2)[..., ::-1]
    rising = not pairs[:, _ABOVE_BAND:].any()
    index, tones = subcarriers(rising=rising), esp32_tones(rising=rising, first_word_invalid=True)
    return _block("esp32", pairs, time_ns, rssi, index=index, tones=tones, bandwidth_mhz=20)


def nexmon_block(
    values: npt.NDArray[np.int16], time_ns: npt.NDArray[np.int64], rssi: np.ndarray
) -> FrameBlock:
    """Frames of a BCM43455c0 at 80 MHz, ``[frame, 256, 2]`` in FFT order, real part first."""
    index, tones = subcarrier_index(80), nexmon_tones(80, overwritten=True)
    return _block("nexmon", values, time_ns, rssi, index=index, tones=tones, bandwidth_mhz=80)


def recording_windows(block: FrameBlock, spec: WindowSpec) -> list[Window]:
    """Windows that lie wholly inside one recording, whose frames are in order of time."""
    return windows_of(in_slots([block]), spec)


def _block(
    nic: str,
    pairs: np.ndarray,
    time_ns: npt.NDArray[np.int64],
    rssi: np.ndarray,
    *,
    index: npt.NDArray[np.int16],
    tones: npt.NDArray[np.uint8],
    bandwidth_mhz: int,
) -> FrameBlock:
    table = np.zeros(len(pairs), FRAME_TABLE)
    table["sequence"], table["capture_ns"] = np.arange(len(pairs)), time_ns
    table["rssi_dbm"], table["noise_dbm"] = np.nan, np.nan
    table["rssi_dbm"][:, 0] = rssi
    return FrameBlock(
        nic=nic,
        table=table,
        raw=np.ascontiguousarray(pairs[:, :, None, None, :]),
        subcarrier_index=index,
        tones=tones,
        bandwidth_mhz=bandwidth_mhz,
        present=np.ones((1, 1), np.bool_),
        index=np.arange(len(pairs)),
    )
