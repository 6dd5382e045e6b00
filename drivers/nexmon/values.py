"""CSI of many packets as one array: a copy for int16 chips, exact float32 for packed floating point."""

import threading

import numpy as np
import numpy.typing as npt

from drivers.nexmon.layout import BIN_BYTES, INT16, Packing
from drivers.nexmon.packed import BATCH, Unpacker

_kept = threading.local()


def values(
    data: bytes | memoryview, at: npt.NDArray[np.int64], size: int, packing: Packing
) -> npt.NDArray[np.int16] | npt.NDArray[np.float32]:
    """Values ``[frame, bin, 2]`` of CSI of `size` bytes at these places of the buffer."""
    windows: npt.NDArray[np.void] = np.ndarray((len(data) - size + 1,), f"V{size}", data, strides=(1,))
    frames, bins = len(at), size // BIN_BYTES
    if packing is INT16:
        return windows[at].view("<i2").astype(np.int16, copy=False).reshape(frames, bins, 2)
    out = np.empty(frames * bins, np.complex64)
    unpack, step = _unpacker(packing).unpack, BATCH // bins
    for start in range(0, frames, step):
        words = windows[at[start : start + step]].view("<u4").astype(np.uint32, copy=False)
        unpack(words, out[start * bins : (start + step) * bins])
    return out.view(np.float32).reshape(frames, bins, 2)


def _unpacker(packing: Packing) -> Unpacker:
    """This thread's unpacker: its work memory must not be shared."""
    kept: dict[Packing, Unpacker] = _kept.__dict__.setdefault("unpackers", {})
    if packing not in kept:
        kept[packing] = Unpacker(packing)
    return kept[packing]
