"""The bit stream of an Intel 5300 CSI payload, unpacked and packed for many frames at once.

LSB first; for each of 30 subcarriers 3 bits are skipped, then come signed bytes: rx outer, tx inner, real
before imaginary. So the values of subcarrier k start ``3 * (k + 1)`` bits later than whole values would. Up
to three complex values are loaded as one 64-bit word, which leaves 16 bits or more to shift them into place;
the table of words is [subcarrier, word, frame], so that one shift moves a whole row.
"""

import threading
from typing import Any

import numpy as np
import numpy.typing as npt

SUBCARRIERS = 30
BATCH = 512
"""Frames unpacked at once: their table stays in the cache."""
_SKIP_BITS = 3
_WORD = np.dtype("<u8")
_PAD = 8  # keeps the rows of a table from falling on the same cache lines
_CHAIN: dict[int, "np.dtype[Any]"] = {1: np.dtype("<u2"), 2: np.dtype("<u4"), 3: np.dtype("V6")}
"""One chain's values of a subcarrier, moved as one item, by number of streams."""


def payload_bytes(nrx: int, ntx: int) -> int:
    """Length of a payload."""
    return (SUBCARRIERS * (16 * nrx * ntx + _SKIP_BITS) + 7) // 8


_kept = threading.local()


class Unpacker:
    """Unpacks payloads of one number of chains and streams, reusing its table.

    Args:
        nrx: receive chains.
        ntx: transmit streams.
    """

    def __init__(self, nrx: int, ntx: int) -> None:
        chains_a_word = nrx if ntx == 1 else 1
        values, words = ntx * chains_a_word, nrx // chains_a_word
        room = 8 * _WORD.itemsize - 16 * values
        start = _SKIP_BITS * np.arange(1, SUBCARRIERS + 1, dtype=np.int64)
        self._table = np.empty((SUBCARRIERS, words, BATCH + _PAD), _WORD)
        self._shift = np.empty_like(self._table)  # in full: twice as quick as one that is broadcast
        self._shift[:] = (start % room).astype(_WORD)[:, None, None]
        self._loads = [
            (np.flatnonzero(start // room == ahead), ahead * room // 8)
            for ahead in range(int(start[-1]) // room + 1)
        ]
        self._steps = (2 * nrx * ntx, 2 * values)  # bytes from subcarrier to subcarrier, word to word
        self._chain = _CHAIN[ntx]
        subcarrier, word, frame = self._table.strides
        self._low: npt.NDArray[np.generic] = np.ndarray(
            (SUBCARRIERS, nrx, self._table.shape[2]),
            self._chain,
            self._table,
            strides=(subcarrier, word if chains_a_word == 1 else self._chain.itemsize, frame),
        )

    def unpack(
        self, data: bytes | memoryview, start: int, stride: int, rows: list[int], out: npt.NDArray[np.int8]
    ) -> None:
        """Unpack at most `BATCH` frames.

        Args:
            data: buffer that holds the payloads.
            start: byte where the first one stands.
            stride: bytes from one to the next.
            rows: antenna of each chain.
            out: int8 [frame, subcarrier, antenna, 2 * tx], contiguous, filled at `rows`.
        """
        frames = len(out)
        table = self._table[..., :frames]
        for subcarriers, ahead in self._loads:
            first, count = int(subcarriers[0]), len(subcarriers)
            table[first : first + count] = np.ndarray(
                (count, table.shape[1], frames),
                _WORD,
                data,
                start + self._steps[0] * first + ahead,
                (*self._steps, stride),
            )
        if frames < BATCH // 2:
            np.right_shift(table, self._shift[..., :frames], out=table)
        else:  # whole rows go quicker than parts of them
            np.right_shift(self._table, self._shift, out=self._table)
        target = out.view(self._chain)[..., 0]
        for chain, row in enumerate(rows):
            target[:, :, row] = self._low[:, chain, :frames].T


def unpacker(nrx: int, ntx: int) -> Unpacker:
    """This thread's unpacker of that many chains and streams."""
    kept: dict[tuple[int, int], Unpacker] = _kept.__dict__.setdefault("unpackers", {})
    if (nrx, ntx) not in kept:
        kept[nrx, ntx] = Unpacker(nrx, ntx)
    return kept[nrx, ntx]


def pack(values: npt.NDArray[np.int8]) -> npt.NDArray[np.uint8]:
    """Payloads uint8 [frame, byte] of int8 [frame, subcarrier, chain, tx, 2]; skipped bits are zero."""
    frames = len(values)
    octets = np.ascontiguousarray(values).view(np.uint8).reshape(frames, SUBCARRIERS, -1)
    bits = np.unpackbits(octets, axis=2, bitorder="little")
    skipped = np.zeros((frames, SUBCARRIERS, _SKIP_BITS), np.uint8)
    stream = np.concatenate([skipped, bits], axis=2).reshape(frames, -1)
    return np.packbits(stream, axis=1, bitorder="little")
