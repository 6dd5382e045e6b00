"""Records of one frame each, joined to blocks ``[frame, subcarrier, core, stream]``."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from drivers.frame import FRAME_TABLE, FrameBlock, FrameFlag
from drivers.group.pattern import Place

_OF_ALL = np.uint32(FrameFlag.ALL_ZERO)
"""Flags that a frame has if all of its records have them."""
_OF_FIRST = np.uint32(FrameFlag.CLOCK_STUCK | FrameFlag.CLOCK_RESET | FrameFlag.SEQUENCE_RESET)
"""Flags that tell of the step from the frame before, which the first record makes."""


@dataclass(slots=True)
class Frame:
    """Records that share sender and number: where each of them is, by core and stream.

    `number` counts the frames that were begun; `whole` holds the places it should have, and is set when
    nothing more is waited for.
    """

    opened_ns: int
    kind: Hashable
    number: int
    members: dict[Place, tuple[FrameBlock, int]] = field(default_factory=dict)
    whole: frozenset[Place] | None = None

    @property
    def is_single(self) -> bool:
        """Whether its sender's frames are one record each."""
        return self.whole is not None and len(self.whole) <= 1

    @property
    def is_incomplete(self) -> bool:
        """Whether records are missing."""
        return self.whole is not None and len(self.members) < len(self.whole)

    def keep(self) -> None:
        """Hold the records alone, not the blocks they came in."""
        for place, (block, row) in self.members.items():
            if len(block) > 1:
                self.members[place] = (_copy(block, row), 0)


def _copy(block: FrameBlock, row: int) -> FrameBlock:
    return block.take(np.array([row]))


def join(frames: Sequence[Frame], start: int) -> list[FrameBlock]:
    """Blocks of these frames, counted from `start`; single records pass as they are."""
    groups: dict[Hashable, list[int]] = {}
    for number, frame in enumerate(frames):
        if frame.is_single:
            ((block, _),) = frame.members.values()
            alike: Hashable = id(block)
        else:
            alike = (frame.kind, frozenset(frame.members), _shape(frame))
        groups.setdefault(alike, []).append(number)
    return [
        _numbered([frames[number] for number in group], np.array(group) + start) for group in groups.values()
    ]


def _numbered(frames: Sequence[Frame], index: npt.NDArray[np.int64]) -> FrameBlock:
    if not frames[0].is_single:
        return replace(_joined(frames), index=index)
    block, _ = next(iter(frames[0].members.values()))
    rows = [row for frame in frames for _, row in frame.members.values()]
    return replace(block if len(rows) == len(block) else block.take(np.array(rows)), index=index)


def _shape(frame: Frame) -> tuple[int, int]:
    """Cores and streams, counted from 0, that the frame's places span."""
    places = frozenset(frame.members) | (frame.whole or frozenset())
    return max(core for core, _ in places) + 1, max(stream for _, stream in places) + 1


def _joined(frames: Sequence[Frame]) -> FrameBlock:
    """Frames with records of the same places."""
    first, _ = next(iter(frames[0].members.values()))
    cores, streams = _shape(frames[0])
    raw = np.zeros((len(frames), first.shape[0], cores, streams, 2), first.raw.dtype)
    present = np.zeros((cores, streams), np.bool_)
    tables, places = [], sorted(frames[0].members)
    for place in places:
        table, values = _column(frames, place)
        raw[:, :, place[0], place[1]] = values
        present[place] = True
        tables.append(table)
    came_first = [places.index(next(iter(frame.members))) for frame in frames]  # not in all frames the same
    return FrameBlock(
        nic=first.nic,
        table=_table(np.stack(tables), places, came_first, [frame.is_incomplete for frame in frames]),
        raw=raw,
        subcarrier_index=first.subcarrier_index,
        tones=first.tones,
        bandwidth_mhz=first.bandwidth_mhz,
        present=present,
        index=np.arange(len(frames)),
    )


def _column(frames: Sequence[Frame], place: Place) -> tuple[npt.NDArray[np.void], npt.NDArray[np.generic]]:
    """Table rows and values ``[frame, subcarrier, 2]`` of one place's records."""
    sources: dict[int, tuple[FrameBlock, list[int], list[int]]] = {}
    for number, frame in enumerate(frames):
        block, row = frame.members[place]
        _, numbers, rows = sources.setdefault(id(block), (block, [], []))
        numbers.append(number)
        rows.append(row)
    first, _, _ = next(iter(sources.values()))
    table = np.empty(len(frames), FRAME_TABLE)
    values = np.empty((len(frames), first.shape[0], 2), first.raw.dtype)
    for block, numbers, rows in sources.values():
        table[numbers] = block.table[rows]
        values[numbers] = block.raw[rows, :, 0, 0]
    return table, values


def _table(
    tables: npt.NDArray[np.void],
    places: Sequence[Place],
    came_first: Sequence[int],
    incomplete: Sequence[bool],
) -> npt.NDArray[np.void]:
    """One row a frame of ``[place, frame]``: what its first record says, RSSI of each core, all flags."""
    rows = np.arange(tables.shape[1])
    made: npt.NDArray[np.void] = tables[came_first, rows]
    first = made["flags"] & _OF_FIRST
    made["rssi_dbm"] = np.nan
    for (core, _), table in zip(places, tables, strict=True):
        level = made["rssi_dbm"][:, core]
        made["rssi_dbm"][:, core] = np.where(np.isnan(level), table["rssi_dbm"][:, 0], level)
    some, every = (part.reduce(tables["flags"]) for part in (np.bitwise_or, np.bitwise_and))
    made["flags"] = some & ~(_OF_ALL | _OF_FIRST) | every & _OF_ALL | first
    made["flags"][np.array(incomplete)] |= np.uint32(FrameFlag.INCOMPLETE)
    made["core"] = made["stream"] = 0
    return made
