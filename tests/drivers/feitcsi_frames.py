"""FeitCSI frames made on the spot, for tests that must run anywhere."""

import numpy as np

from drivers import feitcsi
from drivers.feitcsi.grids import GRIDS, HT, rate_bits
from drivers.frame import FRAME_TABLE, NO_SEQUENCE, FrameBlock, FrameFlag


def make_block(
    frames: int, *, kind: int = HT, width: int = 20, rx: int = 2, tx: int = 1, seed: int = 0
) -> FrameBlock:
    """Random frames as an AX200 could give them."""
    rng, grid = np.random.default_rng(seed), GRIDS[kind, width]
    table = np.zeros(frames, FRAME_TABLE)
    table["sequence"] = NO_SEQUENCE
    table["capture_ns"] = (1_000 + 10_000 * np.arange(frames)) * 1000
    table["rssi_dbm"], table["noise_dbm"] = np.nan, np.nan
    table["rssi_dbm"][:, :rx] = rng.integers(-90, -20, (frames, rx))
    table["transmitter"] = 0x0016EA123456
    table["rate"] = kind << 8 | feitcsi.grids.WIDTHS_MHZ.index(width) << 11 | rng.integers(0, 10, frames)
    table["flags"] = FrameFlag.HT40 if width == 40 else FrameFlag.NONE
    assert all(rate_bits(grid, rate) == rate for rate in table["rate"].tolist())
    return FrameBlock(
        nic="feitcsi",
        table=table,
        raw=rng.integers(-200, 200, (frames, len(grid.index), rx, tx, 2)).astype(np.int16),
        subcarrier_index=grid.index,
        tones=grid.tones,
        bandwidth_mhz=width,
        present=np.ones((rx, tx), np.bool_),
        index=np.arange(frames),
    )


def records(frames: int, **words: object) -> list[bytes]:
    """Encoded frames, one record each."""
    data = feitcsi.encode(make_block(frames, **words))  # type: ignore[arg-type]
    size = len(data) // frames
    return [data[at : at + size] for at in range(0, len(data), size)]
