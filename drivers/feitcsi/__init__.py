"""FeitCSI: Intel AX200 and AX210, records as its files and UDP datagrams hold them, parsed and written.

Layout, little-endian: FeitCSI's own description ("CSI format") and Csi.h. One field has no name there:
bytes 88-91 count microseconds, as the FTM clock of the same record says, at 320 ticks of it (within three
microseconds in all 114 real records). RSSI fields are the power below 0 dBm of the two receive antennas.
Neither the channel nor a frame counter is documented.
"""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from drivers.feitcsi.framing import HEADER_BYTES, MAX_STREAMS, Framing
from drivers.feitcsi.grids import GRIDS, Grid, grid_of, rate_bits
from drivers.frame import FRAME_TABLE, NO_SEQUENCE, FrameBlock, FrameFlag
from drivers.registry import Parsed

NAME = "feitcsi"
TITLE = "Intel AX200, AX210 (FeitCSI)"
CLOCK_WRAP_NS: int | None = 2**32 * 1000
SEQUENCE_WRAP: int | None = None
GROUP_WITHIN_NS: int | None = None
TELLS_TRANSMITTER = True

FTM_TICKS_A_US = 320
_HEAD = np.dtype(
    {
        "names": ["size", "four", "ftm", "rx", "tx", "subcarriers", "rssi", "mac", "us", "rate"],
        "formats": ["<u4", "<u4", "<u4", "u1", "u1", "<u4", ("<u4", (2,)), ("u1", (6,)), "<u4", "<u4"],
        "offsets": [0, 4, 8, 46, 47, 52, 60, 68, 88, 92],
        "itemsize": HEADER_BYTES,
    }
)
_FOUR = 4
"""What real records hold at byte 4."""
Heads = npt.NDArray[np.void]
Positions = npt.NDArray[np.int64]


def sniff(head: bytes) -> str | None:
    """Why these first bytes are a FeitCSI file, or None: at least one sound header."""
    framing = Framing(head, final=False)
    frames = sum(1 for _ in framing.walk())
    if frames:
        return f"{frames} records of 272 bytes and CSI whose lengths, formats and bandwidths agree"
    return "a header of 272 bytes whose length, format and bandwidth agree" if framing.starts_sound else None


def parse(data: bytes | memoryview, *, final: bool, state: object = None) -> Parsed:
    """All frames in `data`, grouped by format, bandwidth and antennas. Never raises on any bytes.

    Rejected: ``truncated``, ``resync``, ``unsupported_format`` (a packet format, a bandwidth or a number of
    subcarriers that is not known).
    """
    del state  # every record says all there is to know
    framing = Framing(data, final=final)
    positions = np.fromiter(framing.walk(), np.int64)
    blocks = list(_blocks(data, positions)) if len(positions) else []
    return Parsed(blocks, framing.consumed, framing.account)


def _blocks(data: bytes | memoryview, positions: Positions) -> Iterator[FrameBlock]:
    heads = _records(data, positions, HEADER_BYTES).view(_HEAD)
    kinds = (
        heads["rate"] >> 8 & 0x3F | heads["rx"].astype(np.uint32) << 6 | heads["tx"].astype(np.uint32) << 9
    )
    for kind in np.unique(kinds):
        rows = np.flatnonzero(kinds == kind)
        grid = grid_of(int(heads["rate"][rows[0]]))
        if grid is not None:  # the framing has made sure
            yield _block(data, positions[rows], heads[rows], grid, rows)


def _block(
    data: bytes | memoryview, positions: Positions, heads: Heads, grid: Grid, rows: Positions
) -> FrameBlock:
    rx, tx = int(heads["rx"][0]), int(heads["tx"][0])
    values = _records(data, positions + HEADER_BYTES, int(heads["size"][0])).view("<i2")
    raw = values.reshape(len(rows), rx, tx, len(grid.index), 2).transpose(0, 3, 1, 2, 4)
    table = _table(heads, rx)
    if grid.bandwidth_mhz == 40:
        table["flags"] = FrameFlag.HT40
    table["flags"][~raw.any(axis=(1, 2, 3, 4))] |= np.uint32(FrameFlag.ALL_ZERO)
    return FrameBlock(
        nic=NAME,
        table=table,
        raw=np.ascontiguousarray(raw, np.int16),
        subcarrier_index=grid.index,
        tones=grid.tones,
        bandwidth_mhz=grid.bandwidth_mhz,
        present=np.ones((rx, tx), np.bool_),
        index=rows.astype(np.int64),
    )


def _records(data: bytes | memoryview, positions: Positions, size: int) -> npt.NDArray[np.void]:
    """`size` bytes from each position on, contiguous void ``[record]``."""
    windows: npt.NDArray[np.void] = np.ndarray((len(data) - size + 1,), f"V{size}", data, strides=(1,))
    return windows[positions]


def _table(heads: Heads, rx: int) -> npt.NDArray[np.void]:
    table = np.zeros(len(heads), FRAME_TABLE)
    table["sequence"] = NO_SEQUENCE
    table["capture_ns"] = heads["us"].astype(np.int64) * 1000
    table["rssi_dbm"], table["noise_dbm"] = np.nan, np.nan
    below = heads["rssi"][:, :rx].astype(np.float32)
    table["rssi_dbm"][:, :rx] = np.where((below > 0) & (below < 256), -below, np.nan)
    bytes_of_mac = heads["mac"].astype(np.uint64) << (8 * np.arange(5, -1, -1, dtype=np.uint64))
    table["transmitter"] = bytes_of_mac.sum(axis=1, dtype=np.uint64)
    table["rate"] = heads["rate"] & 0xFFFF
    return table


def encode(block: FrameBlock) -> bytes:
    """Records of these frames, in the block's order; bytes that nobody has named are zero.

    Raises:
        ValueError: the block is not shaped as these cards give it (int16, a known grid, one or two antennas
            and streams).
    """
    _, rx, tx = block.shape
    grid = next((known for known in GRIDS.values() if _is_on(block, known)), None)
    if grid is None or block.raw.dtype != np.int16 or max(rx, tx) > MAX_STREAMS:
        raise ValueError(f"{NAME} takes int16 on a known grid, got {block.raw.dtype} {block.raw.shape}")
    heads = _heads(block, grid)
    values = np.ascontiguousarray(block.raw.transpose(0, 2, 3, 1, 4), "<i2").reshape(len(block), -1)
    return np.concatenate(
        [heads.view(np.uint8).reshape(len(block), -1), values.view(np.uint8)], axis=1
    ).tobytes()


def _is_on(block: FrameBlock, grid: Grid) -> bool:
    return block.bandwidth_mhz == grid.bandwidth_mhz and np.array_equal(block.subcarrier_index, grid.index)


def _heads(block: FrameBlock, grid: Grid) -> Heads:
    table, (subcarriers, rx, tx) = block.table, block.shape
    heads = np.zeros(len(block), _HEAD)
    heads["size"], heads["four"] = 4 * rx * tx * subcarriers, _FOUR
    heads["rx"], heads["tx"], heads["subcarriers"] = rx, tx, subcarriers
    heads["us"] = table["capture_ns"] // 1000 % 2**32
    heads["ftm"] = table["capture_ns"] // 1000 * FTM_TICKS_A_US % 2**32
    heads["rssi"][:, :rx] = -np.nan_to_num(table["rssi_dbm"][:, :rx])
    heads["mac"] = table["transmitter"][:, None] >> (8 * np.arange(5, -1, -1, dtype=np.uint64)) & np.uint64(
        255
    )
    heads["rate"] = [rate_bits(grid, rate) for rate in table["rate"].tolist()]
    return heads


def opening() -> bytes:
    """A file begins with its first record."""
    return b""


def wrap(datagram: bytes, host_ns: int, *, link_layer: bool = False) -> bytes:
    """FeitCSI's UDP datagrams are the file's records.

    The record's own host time, of newer versions, is not used.
    """
    del host_ns, link_layer
    return datagram
