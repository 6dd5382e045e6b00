"""Intel 5300 frames and records made on the spot, for tests that must run anywhere."""

from collections.abc import Sequence

import numpy as np

from drivers import intel5300
from drivers.frame import FRAME_TABLE, FrameBlock, FrameFlag, every_stream

Frame = tuple[bytes, bytes, tuple[int, int, int]]
"""Table row, raw values, shape."""


def make_block(
    frames: int,
    *,
    antennas: tuple[int, ...] = (0, 1, 2),
    ntx: int = 2,
    wide: bool = False,
    seed: int = 0,
    start_us: int = 1_000,
    step_us: int = 10_000,
) -> FrameBlock:
    """Random frames as the card could give them."""
    rng = np.random.default_rng(seed)
    raw = np.zeros((frames, 30, 3, ntx, 2), np.int8)
    raw[:, :, list(antennas)] = rng.integers(-128, 128, (frames, 30, len(antennas), ntx, 2))
    table = np.zeros(frames, FRAME_TABLE)
    table["capture_ns"] = (start_us + step_us * np.arange(frames)) * 1000
    table["sequence"] = np.arange(frames)
    table["agc_db"] = rng.integers(0, 60, frames)
    table["rssi_dbm"] = np.nan
    for antenna in antennas:
        table["rssi_dbm"][:, antenna] = rng.integers(1, 90, frames) - 44 - table["agc_db"]
    table["noise_dbm"] = np.where(rng.random(frames) < 0.5, np.nan, -92)
    table["rate"] = 0x101 | 0x800 * wide
    table["flags"] = FrameFlag.HT40 if wide else FrameFlag.NONE
    return FrameBlock(
        nic="intel5300",
        table=table,
        raw=raw,
        subcarrier_index=intel5300.SUBCARRIERS_40 if wide else intel5300.SUBCARRIERS_20,
        tones=intel5300.TONES,
        bandwidth_mhz=40 if wide else 20,
        present=every_stream(np.isin(np.arange(3), antennas), ntx),
        index=np.arange(frames),
    )


def records(frames: int, **words: object) -> list[bytes]:
    """Encoded frames, one record each."""
    data = intel5300.encode(make_block(frames, **words))  # type: ignore[arg-type]
    size = len(data) // frames
    return [data[at : at + size] for at in range(0, len(data), size)]


def other(code: int, size: int, fill: int = 0x55) -> bytes:
    """Another record of the connector, of `size` bytes with its framing."""
    return (size - 2).to_bytes(2, "big") + bytes([code]) + bytes([fill]) * (size - 3)


def same(one: FrameBlock, two: FrameBlock) -> bool:
    """Whether two blocks hold the same frames bit for bit (NaN equals NaN), whatever their index."""
    return (
        one.table.tobytes() == two.table.tobytes()
        and np.array_equal(one.raw, two.raw)
        and np.array_equal(one.present, two.present)
        and np.array_equal(one.tones, two.tones)
        and np.array_equal(one.subcarrier_index, two.subcarrier_index)
        and one.bandwidth_mhz == two.bandwidth_mhz
    )


def frames_in_order(blocks: Sequence[FrameBlock]) -> list[Frame]:
    """Every frame, in stream order."""
    found = [
        (int(block.index[row]), (block.table[row].tobytes(), block.raw[row].tobytes(), block.shape))
        for block in blocks
        for row in range(len(block))
    ]
    assert sorted(place for place, _ in found) == list(range(len(found)))
    return [frame for _, frame in sorted(found)]
