"""The bit stream of Atheros CSI, unpacked and packed for many frames at once.

Signed 10-bit numbers, least significant bit first; imaginary before real, rx fastest, then tx, then tone
(ar9003_csi.c and csi_fun.c of the CSI tool). A number starts at an even bit of a byte and so lies within two
bytes. Both the stream and the stream without its first byte are laid out as 16-bit words; one table of
positions takes every number out of these in the order in which it is wanted, a multiplication lifts it to the
top of its word (what stands above it falls out), and a shift brings it down with its sign.
"""

import threading

import numpy as np
import numpy.typing as npt

from drivers.atheros.layout import csi_bytes

BATCH = 128
"""Frames unpacked at once: their tables stay in the cache."""
BITS = 10
LOWEST, HIGHEST = -(1 << BITS - 1), (1 << BITS - 1) - 1
_UP = 16 - BITS
_WORD = np.dtype("<i2")
_kept = threading.local()


class Unpacker:
    """Unpacks CSI of one shape, reusing its tables.

    Args:
        tones: subcarriers.
        nr: receive chains.
        nc: transmit streams.
    """

    def __init__(self, tones: int, nr: int, nc: int) -> None:
        self.size = csi_bytes(tones, nr, nc)
        start = _starts(tones, nr, nc)
        byte, bit = start // 8, start % 8
        words = -(-self.size // 2)
        self._take = (byte // 2 + words * (byte % 2)).astype(np.intp)
        self._lift = np.tile((1 << _UP - bit).astype(_WORD), (BATCH, 1))  # in full: quicker than broadcast
        octets = np.zeros((BATCH, 2, 2 * words), np.uint8)
        self._words = octets.reshape(BATCH, -1).view(_WORD)
        self._streams = self._column(octets, 0, self.size)
        self._behind_first = self._column(octets, 1, self.size - 1)
        self._moved = self._column(octets, 2 * words, self.size - 1)

    @staticmethod
    def _column(octets: npt.NDArray[np.uint8], start: int, size: int) -> npt.NDArray[np.void]:
        """`size` bytes from `start` on of each frame, as one item: moved in one piece."""
        return np.ndarray((BATCH,), f"V{size}", octets, start, octets.strides[:1])

    def unpack(self, streams: npt.NDArray[np.void], out: npt.NDArray[np.int16]) -> None:
        """Unpack at most `BATCH` frames.

        Args:
            streams: void [frame], the CSI bytes of each, with any stride.
            out: int16 [frame, tone, rx, tx, 2], contiguous.
        """
        frames, numbers = len(streams), out.reshape(len(streams), -1)
        self._streams[:frames] = streams
        self._moved[:frames] = self._behind_first[:frames]
        self._words[:frames].take(self._take, 1, numbers, "wrap")  # all are within; "wrap" looks least
        np.multiply(numbers, self._lift[:frames], out=numbers)
        np.right_shift(numbers, _UP, out=numbers)


def unpacker(tones: int, nr: int, nc: int) -> Unpacker:
    """This thread's unpacker of that shape."""
    kept: dict[tuple[int, int, int], Unpacker] = _kept.__dict__.setdefault("unpackers", {})
    if (tones, nr, nc) not in kept:
        kept[tones, nr, nc] = Unpacker(tones, nr, nc)
    return kept[tones, nr, nc]


def _starts(tones: int, nr: int, nc: int) -> npt.NDArray[np.int64]:
    """First bit of each number, in the order [tone, rx, tx, real and imaginary]."""
    tone, rx, tx, part = np.indices((tones, nr, nc, 2), np.int64)
    starts: npt.NDArray[np.int64] = BITS * (2 * ((tone * nc + tx) * nr + rx) + 1 - part)
    return starts.ravel()


def pack(values: npt.NDArray[np.int16]) -> npt.NDArray[np.uint8]:
    """CSI uint8 [frame, byte] of int16 [frame, tone, rx, tx, 2] within `LOWEST` and `HIGHEST`."""
    stream = np.ascontiguousarray(values.transpose(0, 1, 3, 2, 4)[..., ::-1], _WORD).reshape(len(values), -1)
    bits = np.unpackbits(stream.view(np.uint8).reshape(*stream.shape, 2), axis=2, bitorder="little")
    return np.packbits(bits[..., :BITS].reshape(len(values), -1), axis=1, bitorder="little")
