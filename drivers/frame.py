"""The one value type that crosses the driver boundary: a block of CSI frames of one link and one shape."""

from dataclasses import dataclass, replace
from enum import IntEnum, IntFlag
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
    CLOCK_RESET = 4  # the NIC's clock jumped: capture time restarts after the frame before
    CLOCK_STUCK = 8  # the NIC's clock did not move since the frame before
    HT40 = 16  # 40 MHz channel
    SEQUENCE_RESET = 32  # the NIC's own frame counter stepped back
    IQ_SUSPECT = 64  # firmware of an era that wrote the imaginary part first: the channel may be mirrored
    INCOMPLETE = 128  # a frame put together from several records, of which some never came
    SEQUENCE_REPEATED = 256  # the same frame counter as the frame before, though it is another frame
    PHY_ERROR = 512  # the card reports an error of the physical layer for this packet


class Tone(IntEnum):
    """What a subcarrier carries; only `DATA` and `PILOT` hold the channel."""

    DATA = 0
    PILOT = 1
    NULL = 2  # guard band or carrier: nothing is sent there, the card reports arbitrary numbers
    OVERWRITTEN = 3  # the firmware writes something else over it


# One row a frame. `sequence` is the NIC's own counter, unwrapped; -1 where it has none.
# `capture_ns`: from a parser, the NIC's clock, unwrapped, since its own zero; on the bus, Unix time.
# `rssi_dbm` per receive antenna, NaN where the antenna was unused; `noise_dbm` NaN where unknown.
# `transmitter`: MAC address of the sender as an integer (first byte highest), 0 where the NIC does not say.
# `centre_mhz`: centre of the channel, 0 where unknown. `core`, `stream`: the receive core and spatial stream
# of a record that holds one of several (0 elsewhere); `drivers.group` puts those of one frame together.
FRAME_TABLE = np.dtype(
    [
        ("sequence", "<i8"),
        ("capture_ns", "<i8"),
        ("rssi_dbm", "<f4", (MAX_ANTENNAS,)),
        ("noise_dbm", "<f4"),
        ("transmitter", "<u8"),
        ("agc_db", "<i2"),
        ("rate", "<u2"),
        ("centre_mhz", "<u2"),
        ("core", "u1"),
        ("stream", "u1"),
        ("flags", "<u4"),
    ]
)


Raw = npt.NDArray[np.int8] | npt.NDArray[np.int16] | npt.NDArray[np.int32] | npt.NDArray[np.float32]


def every_stream(antennas: "npt.NDArray[np.bool_] | list[bool]", tx: int) -> npt.NDArray[np.bool_]:
    """`FrameBlock.present` of frames whose used antennas ``[rx]`` all hold all `tx` streams."""
    return np.repeat(np.asarray(antennas, np.bool_)[:, None], tx, axis=1)


def mac_text(transmitter: int) -> str:
    """The MAC address as people write it, e.g. ``"00:16:ea:12:34:56"``."""
    return (transmitter & 0xFFFFFFFFFFFF).to_bytes(6, "big").hex(":")


@dataclass(frozen=True, slots=True, eq=False)
class FrameBlock:
    """CSI frames of one link that share one shape.

    Attributes:
        nic: registry name of the card family, e.g. ``"intel5300"``.
        table: structured array of `FRAME_TABLE`, one row a frame.
        raw: numbers as the NIC gave them, ``[frame, subcarrier, rx, tx, 2]``, last axis real, imaginary;
            rows of ``rx`` are physical antennas (any permutation is applied). Integers, but float32 for cards
            that report floating point; every such value is exact.
        subcarrier_index: int16 ``[subcarrier]``, signed offset from the centre in subcarrier spacings, in the
            order in which the NIC reports them.
        tones: uint8 ``[subcarrier]`` of `Tone`.
        bandwidth_mhz: channel bandwidth that the subcarriers span.
        present: bool ``[rx, tx]``, False where zeros pad an absent antenna or stream.
        index: int64 ``[frame]``, position of each frame among all frames of the stream, so that blocks
            grouped by shape can be put back in order.
    """

    nic: str
    table: npt.NDArray[np.void]
    raw: Raw
    subcarrier_index: npt.NDArray[np.int16]
    tones: npt.NDArray[np.uint8]
    bandwidth_mhz: int
    present: npt.NDArray[np.bool_]
    index: npt.NDArray[np.int64]

    def __post_init__(self) -> None:
        if self.table.dtype != FRAME_TABLE:
            raise ValueError(f"table is {self.table.dtype}, expected FRAME_TABLE")
        expected = (len(self.table), len(self.subcarrier_index), *self.present.shape, 2)
        if self.raw.shape != expected or len(self.tones) != len(self.subcarrier_index):
            raise ValueError(
                f"raw is {self.raw.shape}, expected {expected} by table and axes; {len(self.tones)} tones"
            )

    def __len__(self) -> int:
        return len(self.table)

    @property
    def shape(self) -> tuple[int, int, int]:
        """(subcarrier, rx, tx) of every frame in the block."""
        _, subcarrier, rx, tx, _ = self.raw.shape
        return subcarrier, rx, tx

    @property
    def antennas_used(self) -> npt.NDArray[np.bool_]:
        """Bool ``[rx]``, False for a row that pads an absent antenna with zeros."""
        return np.asarray(self.present.any(axis=1), np.bool_)

    @property
    def usable(self) -> npt.NDArray[np.bool_]:
        """Bool ``[subcarrier]``: where the channel was measured."""
        return self.tones <= Tone.PILOT

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
        return replace(self, table=self.table[rows], raw=self.raw[rows], index=self.index[rows])
