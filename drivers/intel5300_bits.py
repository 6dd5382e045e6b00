"""The bit stream of an Intel 5300 CSI payload, unpacked and packed for many frames at once.

LSB first; for each of 30 subcarriers 3 bits are skipped, then come signed bytes: rx outer, tx inner, real
before imaginary. So the values of one chain and subcarrier start ``3 * (subcarrier + 1)`` bits later than
whole values would. They are loaded as one wider word each, into a table [subcarrier, chain, frame] in which
one shift moves a whole row, and the low end of each word is what is wanted.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

SUBCARRIERS = 30
BATCH = 512
"""Frames unpacked at once: their table stays in the cache."""
_SKIP_BITS = 3
_PAD = 8  # keeps the rows of a table from falling on the same cache lines
_LAYOUTS = {1: ("<u4", 16, "<u2"), 2: ("<u8", 32, "<u4"), 3: ("<u8", 16, "V6")}
"""By streams: word that is loaded, bits a value may be shifted in it, what is kept of it."""

Words = npt.NDArray[Any]


def payload_bytes(nrx: int, ntx: int) -> int:
    """Length of a payload."""
    return (SUBCARRIERS * (16 * nrx * ntx + _SKIP_BITS) + 7) // 8


class Unpacker:
    """Unpacks payloads of one number of chains and streams, reusing its table.

    Args:
        nrx: receive chains.
        ntx: transmit streams.
        frames: how many frames there will be at most (the table is made for `BATCH` at most).
    """

    def __init__(self, nrx: int, ntx: int, frames: int) -> None:
        word, room, kept = _LAYOUTS[ntx]
        self._word, self._kept = np.dtype(word), np.dtype(kept)
        self._nrx, self._step, self._length = nrx, 2 * ntx, payload_bytes(nrx, ntx)
        start = _SKIP_BITS * np.arange(1, SUBCARRIERS + 1)
        self._shift = (start % room).astype(self._word)[:, None, None]
        self._pieces = [
            (np.flatnonzero(start // room == ahead), ahead * room // 8)
            for ahead in range(int(start[-1]) // room + 1)
        ]
        self._table: Words = np.empty((SUBCARRIERS, nrx, min(frames, BATCH) + _PAD), self._word)

    def unpack(self, payload: npt.NDArray[np.void], rows: list[int], out: npt.NDArray[np.int8]) -> None:
        """Unpack at most `BATCH` frames.

        Args:
            payload: void [frame], contiguous.
            rows: antenna of each chain.
            out: int8 [frame, subcarrier, antenna, 2 * tx], contiguous, filled at `rows`.
        """
        frames = len(payload)
        table = self._table[..., :frames]
        for subcarriers, ahead in self._pieces:
            first, count = int(subcarriers[0]), len(subcarriers)
            table[first : first + count] = np.ndarray(
                (count, self._nrx, frames),
                self._word,
                payload,
                self._step * self._nrx * first + ahead,
                (self._step * self._nrx, self._step, self._length),
            )
        np.right_shift(self._table, self._shift, out=self._table)
        low: Words = np.ndarray(table.shape, self._kept, self._table, 0, table.strides)
        target = out.view(self._kept)[..., 0]
        for chain, row in enumerate(rows):
            target[:, :, row] = low[:, chain].T


def pack(values: npt.NDArray[np.int8]) -> npt.NDArray[np.uint8]:
    """Payloads uint8 [frame, byte] of int8 [frame, subcarrier, chain, tx, 2]; skipped bits are zero."""
    frames = len(values)
    octets = np.ascontiguousarray(values).view(np.uint8).reshape(frames, SUBCARRIERS, -1)
    bits = np.unpackbits(octets, axis=2, bitorder="little")
    skipped = np.zeros((frames, SUBCARRIERS, _SKIP_BITS), np.uint8)
    stream = np.concatenate([skipped, bits], axis=2).reshape(frames, -1)
    return np.packbits(stream, axis=1, bitorder="little")
