"""CSI of many packets as one array: a copy for int16 chips, exact float32 for packed floating point."""

import numpy as np
import numpy.typing as npt

from drivers.nexmon.layout import BIN_BYTES, INT16, PACKINGS, Packing
from drivers.nexmon.packed import Unpacker

_UNPACKERS = {packing: Unpacker(packing) for packing in PACKINGS if packing is not INT16}
_BATCH_BYTES = 1 << 17


def values(
    data: bytes | memoryview, at: npt.NDArray[np.int64], size: int, packing: Packing
) -> npt.NDArray[np.int16] | npt.NDArray[np.float32]:
    """Values ``[frame, bin, 2]`` of CSI of `size` bytes at these places of the buffer."""
    windows: npt.NDArray[np.void] = np.ndarray((len(data) - size + 1,), f"V{size}", data, strides=(1,))
    shape = (len(at), size // BIN_BYTES, 2)
    if packing is INT16:
        return windows[at].view("<i2").astype(np.int16, copy=False).reshape(shape)
    out = np.empty(shape, np.float32)
    unpack, step = _UNPACKERS[packing].unpack, max(_BATCH_BYTES // size, 1)
    for start in range(0, len(at), step):
        words = windows[at[start : start + step]].view("<u4").astype(np.uint32, copy=False)
        unpack(words, out[start : start + step].reshape(-1, 2))
    return out
