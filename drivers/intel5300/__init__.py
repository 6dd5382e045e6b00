"""Intel 5300 with the linux-80211n-csitool: log files and netlink records, parsed and written.

Layout: dvm/commands.h (struct iwl_bfee_notif), read_bf_file.m and read_bfee.c of the CSI tool. Rows of `rx`
are physical antennas A, B, C: chain j carries antenna ``antenna_sel >> 2j & 3``. Where that names no valid
order the rows stay in chain order and the frame is flagged.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from drivers.frame import FRAME_TABLE, FrameBlock, FrameFlag, Tone, every_stream
from drivers.intel5300.bits import BATCH, SUBCARRIERS, pack, payload_bytes, unpacker
from drivers.intel5300.framing import CSI, HEAD_BYTES, OTHER_CODES, Framing
from drivers.intel5300.order import IS_BAD, ROWS, USED, antenna_sel
from drivers.registry import Parsed

NAME = "intel5300"
TITLE = "Intel 5300 (linux-80211n-csitool)"
CLOCK_WRAP_NS: int | None = 2**32 * 1000
SEQUENCE_WRAP: int | None = 2**16
GROUP_WITHIN_NS: int | None = None
TELLS_TRANSMITTER = False

ANTENNAS = 3
HT40_BIT = 11  # of fake_rate_n_flags
UNKNOWN_NOISE = -127
RSSI_OFFSET_DB = 44
SUBCARRIERS_20 = np.array([*range(-28, 0, 2), -1, *range(1, 28, 2), 28], np.int16)
SUBCARRIERS_40 = np.array([*range(-58, 0, 4), *range(2, 59, 4)], np.int16)
TONES = np.full(SUBCARRIERS, Tone.DATA, np.uint8)
"""The card reports no nulls, and pilots like data."""

_HEAD = np.dtype(
    [
        ("n", ">u2"),
        ("code", "u1"),
        ("timestamp_us", "<u4"),
        ("bfee_count", "<u2"),
        ("reserved", "<u2"),
        ("nrx", "u1"),
        ("ntx", "u1"),
        ("rssi", "u1", (ANTENNAS,)),
        ("noise", "i1"),
        ("agc", "u1"),
        ("antenna_sel", "u1"),
        ("length", "<u2"),
        ("rate", "<u2"),
    ]
)
Heads = npt.NDArray[np.void]
Positions = npt.NDArray[np.int64]


def sniff(head: bytes) -> str | None:
    """Why these first bytes are an Intel 5300 log, or None; a log starts with a record, whole or damaged."""
    framing = Framing(head, final=False)
    frames, account = len(framing.walk()), framing.account
    if not framing.starts_with_record:
        return None
    if frames:
        return f"{frames} CSI records (0xbb) whose lengths and antennas agree"
    if framing.starts_sound:
        return "starts with a CSI record (0xbb) whose lengths and antennas agree"
    if not account.rejected and account.skipped["non_csi"] >= 2:
        return f"{account.skipped['non_csi']} chained connector records, no CSI yet"
    return None


def parse(data: bytes | memoryview, *, final: bool, state: object = None) -> Parsed:
    """All frames in `data`, grouped by (streams, antennas used, 40 MHz). Never raises on any bytes.

    Skipped: ``non_csi`` (other connector records), ``unknown_record``, ``empty`` (length 0). Rejected:
    ``truncated``, ``bad_length``, ``bad_antennas``, ``resync`` (see `drivers.intel5300.framing`).
    """
    del state  # every record says all there is to know
    framing = Framing(data, final=final)
    positions = framing.walk()
    blocks = list(_blocks(data, positions)) if len(positions) else []
    return Parsed(blocks, framing.consumed, framing.account)


def _blocks(data: bytes | memoryview, positions: Positions) -> Iterator[FrameBlock]:
    heads = _records(data, positions, 0, HEAD_BYTES).view(_HEAD)
    orders = (heads["nrx"] << 6 | heads["antenna_sel"] & 63).astype(np.uint8)
    wide = (heads["rate"] >> HT40_BIT & 1).astype(np.uint8)
    everything = np.arange(len(heads))
    kinds = (heads["ntx"] << 4 | USED[orders] << 1 | wide).astype(np.uint8)
    for index in _groups(kinds):
        yield _block(data, positions[index], heads[index], orders[index], everything[index])


def _groups(keys: npt.NDArray[np.uint8]) -> Iterator[slice | Positions]:
    """Rows of each distinct key; a slice of all when there is one only."""
    if (keys == keys[0]).all():
        yield slice(None)
        return
    for key in np.flatnonzero(np.bincount(keys)):
        yield np.flatnonzero(keys == key)


def _block(
    data: bytes | memoryview,
    positions: Positions,
    heads: Heads,
    orders: npt.NDArray[np.uint8],
    index: Positions,
) -> FrameBlock:
    used = (USED[orders[0]] >> np.arange(ANTENNAS) & 1).astype(np.bool_)
    wide = bool(heads["rate"][0] >> HT40_BIT & 1)
    raw = _values(data, positions, orders, int(heads["ntx"][0]))
    table = _table(heads)
    table["flags"] = FrameFlag.HT40 if wide else FrameFlag.NONE
    if (bad := IS_BAD[orders]).any():
        table["flags"][bad] |= np.uint32(FrameFlag.BAD_PERMUTATION)
    if len(zero := _all_zero(raw)):
        table["flags"][zero] |= np.uint32(FrameFlag.ALL_ZERO)
    return FrameBlock(
        nic=NAME,
        table=table,
        raw=raw,
        subcarrier_index=SUBCARRIERS_40 if wide else SUBCARRIERS_20,
        tones=TONES,
        bandwidth_mhz=40 if wide else 20,
        present=every_stream(used, raw.shape[3]),
        index=index,
    )


def _records(data: bytes | memoryview, positions: Positions, offset: int, size: int) -> npt.NDArray[np.void]:
    """`size` bytes of each record from `offset` on, contiguous void [record]."""
    windows: npt.NDArray[np.void] = np.ndarray((len(data) - size + 1,), f"V{size}", data, strides=(1,))
    return windows[positions + offset]


def _values(
    data: bytes | memoryview, positions: Positions, orders: npt.NDArray[np.uint8], ntx: int
) -> npt.NDArray[np.int8]:
    """CSI int8 [frame, subcarrier, antenna, tx, 2] of records that share a shape and the antennas used."""
    nrx, count = int(orders[0]) >> 6, len(positions)
    allocate = np.empty if nrx == ANTENNAS else np.zeros
    raw = allocate((count, SUBCARRIERS, ANTENNAS, 2 * ntx), np.int8)
    unpack = unpacker(nrx, ntx).unpack
    for index in _groups(orders):
        rows = ROWS[orders[index][0]]
        if isinstance(index, slice):
            for part, payloads in _batches(data, positions, payload_bytes(nrx, ntx)):
                unpack(*payloads, rows, raw[part])
            continue
        some = allocate((min(len(index), BATCH), *raw.shape[1:]), np.int8)
        for part, payloads in _batches(data, positions[index], payload_bytes(nrx, ntx)):
            target = index[part]
            unpack(*payloads, rows, some[: len(target)])
            _as_void(raw)[target] = _as_void(some[: len(target)])
    return raw.reshape(count, SUBCARRIERS, ANTENNAS, ntx, 2)


def _batches(
    data: bytes | memoryview, positions: Positions, size: int
) -> Iterator[tuple[slice, tuple[memoryview, int, int]]]:
    """Rows of each batch, and buffer, start and stride of its payloads: copied if not evenly spaced."""
    stride = _even_stride(positions)
    for start in range(0, len(positions), BATCH):
        part = slice(start, start + BATCH)
        if stride:
            yield part, (memoryview(data), int(positions[start]) + HEAD_BYTES, stride)
        else:
            yield part, (_records(data, positions[part], HEAD_BYTES, size).data, 0, size)


def _even_stride(positions: Positions) -> int:
    """Distance of evenly spaced records, 0 if they are not."""
    if len(positions) == 1:
        return 1
    steps = positions[1:] - positions[:-1]
    return int(steps[0]) if (steps == steps[0]).all() else 0


def _as_void(raw: npt.NDArray[np.int8]) -> npt.NDArray[np.void]:
    """One void item a frame: moved in one piece."""
    flat = raw.reshape(len(raw), -1)
    return flat.view(f"V{flat.shape[1]}")[:, 0]


def _all_zero(raw: npt.NDArray[np.int8]) -> Positions:
    """Frames without any value; only those that start with zeros are looked at whole."""
    flat = raw.reshape(len(raw), -1)
    candidates = np.flatnonzero(flat[:, : flat.shape[1] // SUBCARRIERS].view("<u2")[:, 0] == 0)
    return candidates[~flat[candidates].any(axis=1)]


def _table(heads: Heads) -> npt.NDArray[np.void]:
    table = np.zeros(len(heads), FRAME_TABLE)
    table["sequence"] = heads["bfee_count"]
    table["capture_ns"] = heads["timestamp_us"].astype(np.int64) * 1000
    level = heads["agc"] + np.float32(RSSI_OFFSET_DB)
    table["rssi_dbm"][:, ANTENNAS:] = np.nan
    for antenna in range(ANTENNAS):
        rssi = heads["rssi"][:, antenna]
        table["rssi_dbm"][:, antenna] = rssi - level
        if not rssi.all():
            table["rssi_dbm"][rssi == 0, antenna] = np.nan
    table["noise_dbm"] = heads["noise"]
    table["noise_dbm"][heads["noise"] == UNKNOWN_NOISE] = np.nan
    table["agc_db"] = heads["agc"]
    table["rate"] = heads["rate"]
    return table


def encode(block: FrameBlock) -> bytes:
    """Log records of these frames, in the block's order. Chains are written in order of their antennas.

    Raises:
        ValueError: the block is not shaped as this card gives it (int8, 30 subcarriers, three antenna rows).
    """
    _, subcarriers, rx, ntx, _ = block.raw.shape
    rows = np.flatnonzero(block.antennas_used)
    if block.raw.dtype != np.int8 or (subcarriers, rx) != (SUBCARRIERS, ANTENNAS) or not 1 <= ntx <= 3:
        raise ValueError(
            f"{NAME} takes int8 [frame, 30, 3, 1..3, 2], got {block.raw.dtype} {block.raw.shape}"
        )
    if not len(rows):
        raise ValueError(f"{NAME}: a block without a used antenna has no encoding")
    payload = pack(block.raw[:, :, rows].astype(np.int8, copy=False))
    records = np.empty((len(block), HEAD_BYTES + payload.shape[1]), np.uint8)
    records[:, :HEAD_BYTES] = _heads(block, rows, payload.shape[1]).view(np.uint8).reshape(len(block), -1)
    records[:, HEAD_BYTES:] = payload
    return records.tobytes()


def _heads(block: FrameBlock, rows: npt.NDArray[np.int64], length: int) -> Heads:
    table, heads = block.table, np.zeros(len(block), _HEAD)
    heads["n"], heads["code"], heads["length"] = length + HEAD_BYTES - 2, CSI, length
    heads["timestamp_us"] = (table["capture_ns"] // 1000) & 0xFFFFFFFF
    heads["bfee_count"] = table["sequence"] & 0xFFFF
    heads["nrx"], heads["ntx"] = len(rows), block.raw.shape[3]
    rssi = table["rssi_dbm"][:, :ANTENNAS] + RSSI_OFFSET_DB + table["agc_db"][:, None]
    heads["rssi"] = np.rint(np.nan_to_num(rssi, nan=0.0)).clip(0, 255)
    heads["noise"] = np.rint(np.nan_to_num(table["noise_dbm"], nan=UNKNOWN_NOISE)).clip(-128, 127)
    heads["agc"] = table["agc_db"].clip(0, 255)
    heads["antenna_sel"] = antenna_sel(rows, (table["flags"] & FrameFlag.BAD_PERMUTATION) != 0)
    wide = np.uint16(1 << HT40_BIT)
    heads["rate"] = table["rate"] | wide if block.bandwidth_mhz == 40 else table["rate"] & ~wide
    return heads


def opening() -> bytes:
    """A log begins with its first record."""
    return b""


def wrap(datagram: bytes, host_ns: int, *, link_layer: bool = False) -> bytes:
    """The log's record of what one netlink or UDP datagram held: code and body, with or without their length.

    The log has no room for the time of the host.
    """
    del host_ns, link_layer
    size = len(datagram) - 2
    if size > 0 and int.from_bytes(datagram[:2], "big") == size and datagram[2] in {CSI, *OTHER_CODES}:
        return datagram
    return len(datagram[: 2**16 - 1]).to_bytes(2, "big") + datagram[: 2**16 - 1]
