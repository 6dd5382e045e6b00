"""Frames to rows, as the ESP32-CSI-Tool prints them."""

import numpy as np

from drivers.esp32.columns import TOOL
from drivers.esp32.frames import LLTF_BYTES, RATE_FIELDS
from drivers.esp32.tones import BINS, channel_of, subcarriers, tones
from drivers.frame import FrameBlock, FrameFlag, mac_text


def encode(block: FrameBlock) -> bytes:
    """Rows of these frames, in the block's order; each has the LLTF alone.

    A column that a frame says nothing about is 0; so are an unknown RSSI and noise floor.

    Raises:
        ValueError: the block is not shaped as this card gives it (int8, 64 subcarriers in one of its two
            orders, one antenna), or says that its first values are valid, which the tool's rows cannot.
    """
    rising, table = _is_rising(block), block.table
    values = np.asarray(block.raw, np.int8)[..., ::-1].reshape(len(block), LLTF_BYTES)
    bodies = [f"[{' '.join(map(str, bins))} ]" for bins in values.tolist()]
    channels = channel_of(table["centre_mhz"]).tolist()
    rows = [
        _row(frame, {"channel": channel, "secondary_channel": int(rising), "CSI_DATA": body})
        for frame, channel, body in zip(table, channels, bodies, strict=True)
    ]
    return "".join(rows).encode()


def _row(frame: np.void, known: dict[str, str | int]) -> str:
    """One row: what is `known` of it, and what its frame's table says."""
    micros, rate = int(frame["capture_ns"]) // 1000 % 2**32, int(frame["rate"])
    fields = known | {name: rate >> low & (1 << bits) - 1 for name, low, bits in RATE_FIELDS}
    fields |= {
        "type": "CSI_DATA",
        "role": "PASSIVE",
        "mac": mac_text(int(frame["transmitter"])).upper(),
        "rssi": int(np.nan_to_num(frame["rssi_dbm"][0])),
        "noise_floor": int(np.nan_to_num(frame["noise_dbm"])),
        "local_timestamp": micros,
        "rx_state": int(frame["flags"] & FrameFlag.PHY_ERROR != 0),
        "real_timestamp": f"{micros / 1e6:.6f}",
        "len": LLTF_BYTES,
    }
    return ",".join(str(fields.get(name, 0)) for name in TOOL.split(",")) + "\n"


def _is_rising(block: FrameBlock) -> bool:
    """In which of the two orders the subcarriers stand."""
    if block.raw.dtype != np.int8 or block.shape != (BINS, 1, 1):
        raise ValueError(f"esp32 takes int8 [frame, 64, 1, 1, 2], got {block.raw.dtype} {block.raw.shape}")
    for rising in (False, True):
        if np.array_equal(block.subcarrier_index, subcarriers(rising=rising)):
            if not np.array_equal(block.tones, tones(rising=rising, first_word_invalid=True)):
                raise ValueError("the ESP32-CSI-Tool's rows cannot say that their first word is valid")
            return rising
    raise ValueError("esp32 has its 64 subcarriers in the order 0..31, -32..-1, or rising")
