"""From judged packets to blocks of frames."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from drivers.frame import FRAME_TABLE, FrameBlock, FrameFlag
from drivers.nexmon.layout import INT16, PACKINGS, SIZES, centre_mhz
from drivers.nexmon.tones import subcarrier_index, tones
from drivers.nexmon.values import values

Rows = slice | npt.NDArray[np.int64]


def blocks(
    nic: str,
    data: bytes | memoryview,
    fields: npt.NDArray[np.void],
    unix_ns: npt.NDArray[np.int64],
    repeated: npt.NDArray[np.bool_],
) -> Iterator[FrameBlock]:
    """Frames of each (bandwidth, packing, overwritten bins); `index` counts all of them."""
    if not len(fields):
        return
    everything = np.arange(len(fields))
    table = _table(fields, unix_ns, repeated)
    overwritten = ~(fields["old"] | fields["plus"])
    size = np.searchsorted(np.array(SIZES, np.int64), fields["size"])
    for rows in _groups(size << 3 | fields["packing"] << 1 | overwritten):
        some = fields[rows]
        bandwidth, packing = 20 << int(size[rows][0]), PACKINGS[some["packing"][0]]
        raw = values(data, some["csi"], int(some["size"][0]), packing)
        yield _block(
            FrameBlock(
                nic=nic,
                table=table[rows],
                raw=raw[:, :, None, None, :],
                subcarrier_index=subcarrier_index(bandwidth),
                tones=tones(bandwidth, bool(overwritten[rows][0])),
                bandwidth_mhz=bandwidth,
                present=np.ones((1, 1), np.bool_),
                index=everything[rows],
            )
        )


def _groups(keys: npt.NDArray[np.int64]) -> Iterator[Rows]:
    """Rows of each distinct key; a slice of all when there is one only."""
    if (keys == keys[0]).all():
        yield slice(None)
        return
    for key in np.unique(keys):
        yield np.flatnonzero(keys == key)


def _block(block: FrameBlock) -> FrameBlock:
    """The block with frames flagged that measure nothing; only those that start with zeros are looked at."""
    flat = block.raw.reshape(len(block), -1)
    candidates = np.flatnonzero(flat.view(np.uint64)[:, 0] == 0)
    if len(zero := candidates[~flat[candidates].any(axis=1)]):
        block.table["flags"][zero] |= np.uint32(FrameFlag.ALL_ZERO)
    return block


def _table(
    fields: npt.NDArray[np.void], unix_ns: npt.NDArray[np.int64], repeated: npt.NDArray[np.bool_]
) -> npt.NDArray[np.void]:
    table = np.zeros(len(fields), FRAME_TABLE)
    table["sequence"] = fields["sequence_control"] >> 4
    table["capture_ns"] = unix_ns
    table["rssi_dbm"] = np.nan
    table["rssi_dbm"][:, 0] = fields["rssi"]
    table["noise_dbm"] = np.nan
    channels = fields["chanspec"]
    table["centre_mhz"] = centre_mhz(channels[:1] if (channels == channels[0]).all() else channels)
    for name in ("transmitter", "core", "stream"):
        table[name] = fields[name]
    suspect = fields["old"] & (fields["packing"] == PACKINGS.index(INT16))
    table["flags"] = suspect * np.uint32(FrameFlag.IQ_SUSPECT)
    if repeated.any():
        table["flags"][repeated] |= np.uint32(FrameFlag.SEQUENCE_REPEATED)
    return table
