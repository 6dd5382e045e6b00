"""The fixed part of Atheros records as rows of `FRAME_TABLE`, and back.

Strength: each chain's RSSI is in dB above the noise floor; ath9k itself reports noise floor plus RSSI as dBm,
with -95 dBm as long as it has measured none. The record names no noise floor, so -95 is assumed here: levels
are right within the few dB by which a card's floor differs, differences between chains and frames are exact.
"""

import numpy as np
import numpy.typing as npt

from drivers.atheros.layout import CHAINS, FIXED, HEAD_BYTES, HEAD_TYPES, TONES, Order, csi_bytes
from drivers.frame import FRAME_TABLE, NO_SEQUENCE, FrameBlock, FrameFlag

NOISE_FLOOR_DBM = -95
"""Assumed; see above."""
NO_RSSI = -128
"""RSSI of a chain that measured none (ATH9K_RSSI_BAD)."""
MPDU_HEAD = 24
"""Header of an 802.11 data or management frame without QoS."""
_SENDER_END = 16  # the second address of an 802.11 header is its bytes 10 to 15
_KIND_BITS, _MANAGEMENT, _DATA = 0x0F, 0x00, 0x08  # protocol version and frame type
_MAC_BITS = (1 << 48) - 1
_LATEST_US = (1 << 52) - 1  # so that nanoseconds fit 63 bits
_SOME_PHY_ERROR = 0xFF  # the table does not keep which

Heads = npt.NDArray[np.void]


def table_of(heads: Heads, senders: npt.NDArray[np.uint64]) -> npt.NDArray[np.void]:
    """Rows of these headers (all of one shape); `senders` are their transmitters."""
    table = np.empty(len(heads), FRAME_TABLE)
    table.view(_ROW)[:] = _ROWS[bool(heads["bandwidth"][0])]
    table["capture_ns"] = (heads["timestamp"] & np.uint64(_LATEST_US)).astype(np.int64) * 1000
    _fill_rssi(table["rssi_dbm"], heads["chain_rssi"], int(heads["nr"][0]))
    table["transmitter"] = senders
    table["rate"] = heads["rate"]
    table["centre_mhz"] = heads["channel"]
    if (phyerr := heads["phyerr"]).any():
        table["flags"][phyerr != 0] |= np.uint32(FrameFlag.PHY_ERROR)
    return table


def _row(wide: bool) -> npt.NDArray[np.void]:
    """What all rows of a bandwidth have alike, as one item: written in one piece."""
    row = np.zeros(1, FRAME_TABLE)
    row["sequence"] = NO_SEQUENCE
    row["rssi_dbm"] = row["noise_dbm"] = np.nan
    row["flags"] = FrameFlag.HT40 if wide else FrameFlag.NONE
    return row.view(_ROW)


_ROW = np.dtype((np.void, FRAME_TABLE.itemsize))
_ROWS = {wide: _row(wide) for wide in (False, True)}


def _fill_rssi(rssi: npt.NDArray[np.float32], chains: npt.NDArray[np.int8], nr: int) -> None:
    """Write the RSSI in dBm of each row of the channel; beyond `nr` it stays as it is.

    Rows are the active chains in rising order. Which ones are active is not recorded: it is known where just
    `nr` of them have an RSSI, else the first ones are taken.
    """
    unknown = chains == NO_RSSI
    values = chains + np.float32(NOISE_FLOOR_DBM)
    if unknown.any():
        values[unknown] = np.nan
    if nr < CHAINS:
        plain = unknown.sum(axis=1) == CHAINS - nr
        order = np.argsort(unknown, axis=1, kind="stable")
        values[plain] = np.take_along_axis(values, order, axis=1)[plain]
    rssi[:, :nr] = values[:, :nr]


def senders_of(
    data: bytes | memoryview, positions: npt.NDArray[np.int64], heads: Heads
) -> npt.NDArray[np.uint64]:
    """Who sent each packet: the second address of the 802.11 frame kept as payload, 0 where there is none.

    Not looked for in packets with an error of the physical layer, nor in control frames.
    """
    has_one = (heads["payload_len"] >= _SENDER_END) & (heads["phyerr"] == 0)
    if has_one.all():
        return _second_addresses(data, positions + heads["csi_len"].astype(np.int64) + HEAD_BYTES)
    senders, rows = np.zeros(len(heads), np.uint64), np.flatnonzero(has_one)
    if len(rows):
        starts = positions[rows] + heads["csi_len"][rows].astype(np.int64) + HEAD_BYTES
        senders[rows] = _second_addresses(data, starts)
    return senders


def _second_addresses(data: bytes | memoryview, starts: npt.NDArray[np.int64]) -> npt.NDArray[np.uint64]:
    """The second address of each of these packets, 0 where it is of a kind that may have none."""
    count = len(data) - _SENDER_END + 1
    packets: npt.NDArray[np.void] = np.ndarray((count,), f"V{_SENDER_END}", data, strides=(1,))
    words = packets[starts].view(">u8").reshape(-1, 2)
    senders = words[:, 1] & np.uint64(_MAC_BITS)
    kind = words.view(np.uint8)[:, 0] & _KIND_BITS
    if not (said := (kind == _MANAGEMENT) | (kind == _DATA)).all():
        senders[~said] = 0
    return senders


def heads_of(block: FrameBlock, order: Order) -> Heads:
    """Headers of these frames; those with a transmitter get a payload of one 802.11 header that names it."""
    table, (tones, nr, nc) = block.table, block.shape
    heads = np.zeros(len(block), HEAD_TYPES[order])
    heads["timestamp"] = table["capture_ns"] // 1000
    heads["csi_len"] = csi_bytes(tones, nr, nc)
    heads["payload_len"] = np.where(table["transmitter"] != 0, MPDU_HEAD, 0)
    heads["length"] = FIXED + heads["csi_len"] + heads["payload_len"]
    heads["channel"], heads["rate"] = table["centre_mhz"], table["rate"].clip(0, 255)
    heads["phyerr"] = np.where(table["flags"] & np.uint32(FrameFlag.PHY_ERROR), _SOME_PHY_ERROR, 0)
    heads["bandwidth"] = tones == TONES[1]
    heads["tones"], heads["nr"], heads["nc"] = tones, nr, nc
    rssi = np.rint(table["rssi_dbm"][:, :nr] - NOISE_FLOOR_DBM).clip(NO_RSSI + 1, 127)
    heads["chain_rssi"] = NO_RSSI
    heads["chain_rssi"][:, :nr] = np.nan_to_num(rssi, nan=NO_RSSI)
    heads["rssi"] = heads["chain_rssi"].max(axis=1)
    return heads


def payloads_of(block: FrameBlock) -> npt.NDArray[np.uint8]:
    """802.11 headers uint8 [frame, `MPDU_HEAD`]: a data frame to everybody from each transmitter."""
    packets = np.zeros((len(block), MPDU_HEAD), np.uint8)
    packets[:, 0] = _DATA
    packets[:, 4:10] = packets[:, 16:22] = 0xFF
    senders = block.table["transmitter"].astype(">u8").view(np.uint8).reshape(-1, 8)
    packets[:, 10:_SENDER_END] = senders[:, 2:]
    return packets
