"""Frames that are narrower than the channel the card listens on: which part of the band they fill.

A card that listens on 80 MHz also reports frames of 20 and 40 MHz; outside of what was sent its bins hold
noise and leakage. Per 20 MHz sub-band the median power over the subcarriers is compared with the strongest
one's. In recordings, frames that fill the band stay within 16 dB of it in every sub-band (fading), and the
leakage of narrower ones lies 18 to 60 dB below it (but for 2 of the 950 frames of one recording). What is
filled is the smallest part that 802.11 allows (20 MHz, an aligned 40 or 80 MHz) around all strong sub-bands,
so one faded sub-band is no narrower frame.
"""

from dataclasses import replace
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from drivers.frame import FrameBlock, Tone

FILLED_DB = 17.0
_BINS = 64
"""FFT bins of a 20 MHz sub-band."""
_LAST = {20: (1, 28), 40: (2, 58), 80: (2, 122)}
"""First and last subcarrier beside the centre that a frame of this bandwidth uses (802.11-2016, 21.3.7)."""

Part = tuple[int, int]
"""Lowest sub-band, and how many."""


def split(block: FrameBlock) -> list[tuple[Part, FrameBlock]]:
    """The frames by the part of the band they fill, each block on that part's own subcarriers.

    Only blocks that hold every FFT bin of 40 MHz or more can be judged; others come back as they are.
    """
    count = block.bandwidth_mhz // 20
    whole = (0, count)
    if count < 2 or len(block.subcarrier_index) != _BINS * count:
        return [(whole, block)]
    low, width = _filled(_levels(block, count))
    parts = [whole] if (width == count).all() else sorted(set(zip(low.tolist(), width.tolist(), strict=True)))
    if parts == [whole]:
        return [(whole, block)]
    return [(part, _part(block.take((low == part[0]) & (width == part[1])), part)) for part in parts]


def _levels(block: FrameBlock, count: int) -> npt.NDArray[np.float32]:
    """Median power of the usable subcarriers of each sub-band ``[frame, sub-band]``, all streams together."""
    values = block.raw.astype(np.float32)
    values = values / np.maximum(np.abs(values).max(axis=(1, 2, 3, 4), keepdims=True), 1e-30)
    power = np.einsum("fsrti,fsrti->fs", values, values)
    band = _sub_band(block.subcarrier_index, count)
    columns = [power[:, (band == one) & block.usable] for one in range(count)]
    return np.stack([np.median(c, axis=1) if c.shape[1] else np.zeros(len(c)) for c in columns], axis=1)


def _sub_band(index: npt.NDArray[np.int16], count: int) -> npt.NDArray[np.int64]:
    return (index.astype(np.int64) + _BINS * count // 2) // _BINS


def _filled(levels: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Lowest sub-band and number of sub-bands that each frame fills."""
    strong = levels >= levels.max(axis=1, keepdims=True) * 10 ** (-FILLED_DB / 10)
    count = levels.shape[1]
    first, last = np.argmax(strong, axis=1), count - 1 - np.argmax(strong[:, ::-1], axis=1)
    width = np.ones(len(levels), np.int64)
    while (apart := first // width != last // width).any():
        width[apart] *= 2
    return first // width * width, np.minimum(width, count)


@lru_cache(maxsize=64)
def _plan(index: bytes, part: Part, count: int) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.int16]]:
    """Which bins a part uses, and their offsets from its own centre."""
    offsets = np.frombuffer(index, np.int16).astype(np.int64)
    own = offsets + _BINS * count // 2 - _BINS * part[0] - _BINS * part[1] // 2
    first, last = _LAST[20 * part[1]]
    chosen = np.flatnonzero((np.abs(own) >= first) & (np.abs(own) <= last))
    return chosen, own[chosen].astype(np.int16)


def _part(block: FrameBlock, part: Part) -> FrameBlock:
    """Frames that fill only this part, as a card that listens on nothing else would report them."""
    count = block.bandwidth_mhz // 20
    if part == (0, count):
        return block
    index = np.ascontiguousarray(block.subcarrier_index, np.int16).tobytes()
    chosen, offsets = _plan(index, part, count)
    tones = np.where(block.tones[chosen] == Tone.OVERWRITTEN, Tone.OVERWRITTEN, Tone.DATA).astype(np.uint8)
    return replace(
        block, raw=block.raw[:, chosen], subcarrier_index=offsets, tones=tones, bandwidth_mhz=20 * part[1]
    )
