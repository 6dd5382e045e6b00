"""Frames as the firmware would send them: a standard header, in UDP, in Ethernet, in a pcap record."""

import numpy as np
import numpy.typing as npt

from drivers import pcap
from drivers.frame import FrameBlock, FrameFlag
from drivers.nexmon.layout import MAGIC, PORT, STANDARD, chanspec_of
from drivers.nexmon.packed import pack

HEADERS = (
    bytes.fromhex("ffffffffffff")
    + b"NEXMON"
    + bytes.fromhex("0800 4500 0000 0001 0000 0111 0000 0a0a0a0a ffffffff")
    + PORT.to_bytes(2, "big") * 2
    + bytes(4)
)
"""Ethernet, IPv4 and UDP as patches/common/udptunnel.c fills them in, without lengths and checksum."""
_INT16_CHIP, _FLOAT_CHIP = 0x0065, 0x006A
_BINS = {20: 64, 40: 128, 80: 256, 160: 512}


def encode(block: FrameBlock) -> bytes:
    """Records of a pcap file with these frames: BCM43455c0 of int16 values, BCM4366c0 of float32 ones.

    Firmware that reports no RSSI (NaN) is the one that marks int16 frames IQ_SUSPECT.

    Raises:
        ValueError: this card cannot have given these frames.
    """
    count = len(block)
    expected = (_BINS.get(block.bandwidth_mhz), 1, 1)
    if block.shape != expected or block.raw.dtype not in (np.int16, np.float32):
        raise ValueError(
            "nexmon takes int16 or float32 [frame, 64 per 20 MHz, 1, 1, 2], got "
            f"{block.raw.dtype} {block.raw.shape} at {block.bandwidth_mhz} MHz"
        )
    payload = _values(block).view(np.uint8).reshape(count, -1)
    heads = _heads(block).view(np.uint8).reshape(count, -1)
    outside = np.frombuffer(pcap.with_lengths(HEADERS, STANDARD.itemsize + payload.shape[1]), np.uint8)
    packets = np.concatenate([np.broadcast_to(outside, (count, len(outside))), heads, payload], axis=1)
    return pcap.records(packets, block.table["capture_ns"])


def _values(block: FrameBlock) -> npt.NDArray[np.generic]:
    raw = block.raw[:, :, 0, 0, :]
    if raw.dtype == np.int16:
        return np.ascontiguousarray(raw, "<i2")
    return pack(raw.astype(np.float32, copy=False)).astype("<u4")


def _heads(block: FrameBlock) -> npt.NDArray[np.void]:
    table, heads = block.table, np.zeros(len(block), STANDARD)
    rssi = table["rssi_dbm"][:, 0]
    old = np.isnan(rssi)
    is_int = block.raw.dtype == np.int16
    suspect = (table["flags"] & FrameFlag.IQ_SUSPECT) != 0
    if (suspect != (old & is_int)).any():
        raise ValueError("nexmon: a frame is IQ_SUSPECT exactly if it is of int16 values and has no RSSI")
    if max(table["core"].max(initial=0), table["stream"].max(initial=0)) > 3:
        raise ValueError("nexmon: cores and streams are numbered 0 to 3")
    level = np.rint(np.nan_to_num(rssi, nan=17)).clip(-128, 127)
    heads["magic"], heads["rssi"] = MAGIC, level
    heads["frame_control"][old] = 0x11  # with an RSSI of 17 this is the old magic
    for place in range(6):
        heads["transmitter"][:, place] = table["transmitter"] >> np.uint64(40 - 8 * place) & np.uint64(255)
    heads["sequence_control"] = (table["sequence"] & 4095) << 4
    heads["stream"] = table["core"] | table["stream"] << 3
    heads["chanspec"] = chanspec_of(block.bandwidth_mhz, table["centre_mhz"])
    heads["chip"] = _INT16_CHIP if is_int else _FLOAT_CHIP
    return heads
