"""The one value type that crosses the driver boundary: a block of CSI frames of one link and one shape."""

from dataclasses import dataclass
from enum import IntFlag
from typing import Any

import numpy as np
import numpy.typing as npt

MAX_ANTENNAS = 4
NO_SEQUENCE = -1
"""`sequence` of a frame whose NIC counts nothing."""


class FrameFlag(IntFlag):
    """What is odd about one frame; a flagged frame is kept, never dropped or repaired in silence."""

    NONE = 0
    BAD_PERMUTATION = 1  # antenna selection names no valid order: rows stay in RF-chain order
    ALL_ZERO = 2  # every CSI value is zero: the frame arrived but measures nothing
    CLOCK_RESET = 4  # the NIC's clock jumped back: capture time restarts after the frame before
    CLOCK_STUCK = 8  # the NIC's clock did not move since the frame before
    HT40 = 16  # 40 MHz channel
    SEQUENCE_RESET = 32  # the NIC's own frame counter stepped back


# One row a frame. `sequence` is the NIC's own counter, unwrapped; -1 where it has none.
# `capture_ns`: from a parser, the NIC's clock, unwrapped, since its own zero; on the bus, Unix time.
# `rssi_dbm` per receive antenna, NaN where the antenna was unused; `noise_dbm` NaN where unknown.
FRAME_TABLE = np.dtype(
    [
        ("sequence", "<i8"),
        ("capture_ns", "<i8"),
        ("rssi_dbm", "<f4", (MAX_ANTENNAS,)),
        ("noise_dbm", "<f4"),
        ("agc_db", "<i2"),
        ("rate", "<u2"),
        ("flags", "<u4"),
    ]
)


@dataclass(frozen=True, slots=True, eq=False)
class FrameBlock:
    """CSI frames of one link that share one shape.

    Attributes:
        nic: registry name of the card family, e.g. ``"intel5300"``.
        table: structured array of `FRAME_TABLE`, one row a frame.
        raw: integers as the NIC gave them, ``[frame, subcarrier, rx, tx, 2]``, last axis real, imaginary;
            rows of ``rx`` are physical antennas (any permutation is applied).
        subcarrier_index: int16 ``[subcarrier]``, signed offset from the centre in subcarrier spacings.
        bandwidth_mhz: channel bandwidth that the subcarriers span.
        antennas_used: bool ``[rx]``, False for a row that pads an absent antenna with zeros.
        index: int64 ``[frame]``, position of each frame among all frames of the stream, so that blocks
            grouped by shape can be put back in order.
    """

    nic: str
    table: npt.NDArray[np.void]
    raw: npt.NDArray[np.int8] | npt.NDArray[np.int16] | npt.NDArray[np.int32]
    subcarrier_index: npt.NDArray[np.int16]
    bandwidth_mhz: int
    antennas_used: npt.NDArray[np.bool_]
    index: npt.NDArray[np.int64]

    def __post_init__(self) -> None:
        if self.table.dtype != FRAME_TABLE:
            raise ValueError(f"table is {self.table.dtype}, expected FRAME_TABLE")
        frames, subcarriers, rx = len(self.table), len(self.subcarrier_index), len(self.antennas_used)
        if self.raw.ndim != 5 or self.raw.shape[:3] != (frames, subcarriers, rx) or self.raw.shape[4] != 2:
            raise ValueError(
                f"raw is {self.raw.shape}, expected ({frames}, {subcarriers}, {rx}, tx, 2) by table and axes"
            )

    def __len__(self) -> int:
        return len(self.table)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(subcarrier, rx, tx) of every frame in the block."""
        _, subcarrier, rx, tx, _ = self.raw.shape
        return subcarrier, rx, tx

    def csi(self, out: npt.NDArray[np.complex64] | None = None) -> npt.NDArray[np.complex64]:
        """Raw channel values, complex64 ``[frame, subcarrier, rx, tx]``, unscaled.

        Written to the start of `out` (contiguous, at least as long as the block, same shape behind) if given:
        a reader of long streams saves the memory for every block anew.
        """
        if out is None:
            return np.ascontiguousarray(self.raw, np.float32).view(np.complex64)[..., 0]
        chosen = out[: len(self)]
        np.copyto(chosen.view(np.float32).reshape(self.raw.shape), self.raw)
        return chosen

    def take(self, rows: "slice | npt.NDArray[Any]") -> "FrameBlock":
        """The block with only these rows (a slice, or an integer or boolean index)."""
        return FrameBlock(
            nic=self.nic,
            table=self.table[rows],
            raw=self.raw[rows],
            subcarrier_index=self.subcarrier_index,
            bandwidth_mhz=self.bandwidth_mhz,
            antennas_used=self.antennas_used,
            index=self.index[rows],
        )
