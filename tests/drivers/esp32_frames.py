"""ESP32 frames and CSV rows made on the spot, for tests that must run anywhere."""

import numpy as np

from drivers import esp32
from drivers.esp32.columns import TOOL
from drivers.esp32.tones import subcarriers, tones
from drivers.frame import FRAME_TABLE, NO_SEQUENCE, FrameBlock

ESP_CSI = (
    "type,id,mac,rssi,rate,sig_mode,mcs,bandwidth,smoothing,not_sounding,aggregation,stbc,fec_coding,sgi,noise_floor,"
    "ampdu_cnt,channel,secondary_channel,local_timestamp,ant,sig_len,rx_state,len,first_word,data"
)
C6 = (
    "type,seq,mac,rssi,rate,noise_floor,fft_gain,agc_gain,channel,local_timestamp,sig_len,rx_state,len,"
    "first_word,data"
)
VALUES = [(7 * k) % 255 - 127 for k in range(128)]


def make_block(frames: int, *, rising: bool = False, seed: int = 0) -> FrameBlock:
    """Random frames as the ESP32-CSI-Tool could print them."""
    rng = np.random.default_rng(seed)
    table = np.zeros(frames, FRAME_TABLE)
    table["sequence"] = NO_SEQUENCE
    table["capture_ns"] = (1_000 + 10_000 * np.arange(frames)) * 1000
    table["rssi_dbm"] = np.nan
    table["rssi_dbm"][:, 0] = rng.integers(-90, -20, frames)
    table["noise_dbm"] = np.where(rng.random(frames) < 0.5, np.nan, -96)
    table["transmitter"] = 0x112233445566
    table["rate"] = rng.integers(0, 2**16, frames) & ~np.int64(1 << 7)
    table["centre_mhz"] = 2447
    return FrameBlock(
        nic="esp32",
        table=table,
        raw=rng.integers(-128, 128, (frames, 64, 1, 1, 2)).astype(np.int8),
        subcarrier_index=subcarriers(rising=rising),
        tones=tones(rising=rising, first_word_invalid=True),
        bandwidth_mhz=20,
        present=np.ones((1, 1), np.bool_),
        index=np.arange(frames),
    )


def records(frames: int, **words: object) -> list[bytes]:
    """Encoded rows, line feeds included."""
    return esp32.encode(make_block(frames, **words)).splitlines(keepends=True)  # type: ignore[arg-type]


def row(
    columns: str = TOOL, values: "list[int] | None" = None, separator: str = " ", **fields: object
) -> bytes:
    """One row of these columns, with its line feed; fields that are not given are plausible."""
    values = VALUES if values is None else values
    data = f"[{separator.join(map(str, values))}{' ' if separator == ' ' else ''}]"
    known: dict[str, object] = {
        "type": "CSI_DATA",
        "role": "AP",
        "mac": "3C:71:BF:6D:2A:78",
        "rssi": -73,
        "noise_floor": -93,
        "channel": 6,
        "local_timestamp": 80272146,
        "len": len(values),
        "first_word": 1,
        "CSI_DATA": data,
        "data": f'"{data}"',
    } | fields
    return (",".join(str(known.get(name, 0)) for name in columns.split(",")) + "\n").encode()
