"""From what a parser gives (blocks grouped by shape) to what the bus carries (short, in time order)."""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from drivers.frame import FrameBlock
from drivers.wire import MAX_BLOCK_AGE_S, MAX_BLOCK_FRAMES

_SLOT_NS = round(MAX_BLOCK_AGE_S * 1e9)


def stream_order(blocks: Sequence[FrameBlock]) -> npt.NDArray[np.intp]:
    """Which of the blocks' frames, one block after the other, comes first, second, ... in the stream."""
    return np.argsort(np.concatenate([block.index for block in blocks]), kind="stable")


def _kind(block: FrameBlock) -> Hashable:
    """What must be equal for two blocks to be one."""
    return (
        block.nic,
        block.shape,
        block.bandwidth_mhz,
        block.subcarrier_index.tobytes(),
        block.tones.tobytes(),
        block.present.tobytes(),
        block.raw.dtype,
    )


def merge(blocks: Sequence[FrameBlock]) -> list[FrameBlock]:
    """The same frames with as few blocks as shapes allow, each in stream order."""
    groups: dict[Hashable, list[FrameBlock]] = {}
    for block in blocks:
        groups.setdefault(_kind(block), []).append(block)
    return [_joined(group) for group in groups.values()]


def _joined(group: Sequence[FrameBlock]) -> FrameBlock:
    if len(group) == 1:
        return group[0]
    first = group[0]
    return replace(
        first,
        table=np.concatenate([block.table for block in group]),
        raw=np.concatenate([block.raw for block in group]),
        index=np.concatenate([block.index for block in group]),
    )


def in_slots(
    blocks: Sequence[FrameBlock], *, max_frames: int = MAX_BLOCK_FRAMES, max_ns: int | None = None
) -> Iterator[FrameBlock]:
    """Blocks of at most `max_frames` consecutive frames and `max_ns` of capture time, oldest first.

    Frames of several shapes are put side by side within 50 ms only, so none is held back for long.
    """
    groups = merge(blocks)
    if not groups:
        return
    if len(groups) > 1:
        max_ns = _SLOT_NS if max_ns is None else min(max_ns, _SLOT_NS)
    index = np.concatenate([group.index for group in groups])
    order = np.argsort(index)
    times = np.concatenate([group.table["capture_ns"] for group in groups])[order]
    for start, stop in _cut(times, max_frames, max_ns):
        first, last = index[order[start]], index[order[stop - 1]]
        for group in groups:
            low, high = np.searchsorted(group.index, [first, last + 1])
            if low < high:
                yield group.take(slice(int(low), int(high)))


def _cut(times: npt.NDArray[np.int64], max_frames: int, max_ns: int | None) -> Iterator[tuple[int, int]]:
    """Start and stop of each slot."""
    start, count = 0, len(times)
    while start < count:
        stop = min(start + max_frames, count)
        if max_ns is not None:
            far = np.flatnonzero(np.abs(times[start:stop] - times[start]) >= max_ns)
            stop = start + int(far[0]) if len(far) else stop
        yield start, stop
        start = stop
