"""Records that hold one core and stream each, put together to frames ``[subcarrier, core, stream]``.

Some firmware sends a packet for every receive core and spatial stream of one WiFi frame. They share sender
and sequence number and come one after the other. What comes out does not depend on how the records were cut
into calls, and is in the order in which the frames began.
"""

from collections import deque
from collections.abc import Hashable, Sequence
from dataclasses import replace

import numpy as np

from drivers.batch import stream_order
from drivers.frame import FrameBlock
from drivers.group.join import Frame, join
from drivers.group.pattern import Pattern, Place

_MAX_WAITING = 256
"""Frames that wait behind one that is not complete; a clock that stands still must not hold them for good."""
_MAX_SENDERS = 1024
_STEP = 256
Key = tuple[int, int, Hashable]
"""Sender, sequence number, and what else the records of one frame have in common."""


class Grouper:
    """Puts the records of one frame together, by (transmitter, sequence) over distinct (core, stream).

    A frame is done when it has as many records as its sender's largest of late, or when a record comes that
    is more than `within_ns` of capture time away from its first (or 256 frames, if the clock stands still);
    what is missing then is zero, not `present`, and flagged INCOMPLETE. The same core and stream again begins
    another frame. Where frames have one record, they pass untouched and wait for nothing, but for the first
    ones, before that is known.

    Args:
        within_ns: longest span over which the records of one frame come.

    Attributes:
        groups: frames given out; `incomplete`: of these, with records missing.
    """

    def __init__(self, within_ns: int) -> None:
        self.groups = self.incomplete = 0
        self._within_ns = within_ns
        self._queue: deque[Frame] = deque()  # as they began; done ones wait for those before them
        self._open: dict[Key, Frame] = {}
        self._patterns: dict[int, Pattern] = {}
        self._begun = 0

    @property
    def holds(self) -> bool:
        """Whether records wait for others."""
        return bool(self._queue)

    def take(self, blocks: Sequence[FrameBlock]) -> list[FrameBlock]:
        """Frames that these records complete."""
        if not blocks:
            return []
        if len(blocks) > 1:
            return self._walk(blocks, 0, None)
        (block,), start = blocks, 0
        done: list[FrameBlock] = []
        while start < len(block):
            if self._passes(rest := block.take(slice(start, None)) if start else block):
                return [*done, self._passed(rest)]
            done += self._walk(blocks, start, start + _STEP)
            start += _STEP
        return done

    def flush(self) -> list[FrameBlock]:
        """Give out what waits, be it complete or not."""
        while self._open:
            self._close(next(iter(self._open)))
        return self._done()

    def _passes(self, block: FrameBlock) -> bool:
        """Whether all records are frames of their own, in one step."""
        table = block.table
        sender = int(table["transmitter"][0])
        pattern = self._patterns.get(sender)
        place = (int(table["core"][0]), int(table["stream"][0]))
        if self._queue or pattern is None or pattern.largest != {place}:
            return False
        for column, value in (("transmitter", np.uint64(sender)), ("core", place[0]), ("stream", place[1])):
            if (table[column] != value).any():
                return False
        last = table[-1]
        pattern.note(int(last["sequence"]), int(last["capture_ns"]), frozenset({place}), len(table))
        return True

    def _passed(self, block: FrameBlock) -> FrameBlock:
        """The block, counted."""
        index = np.arange(self.groups, self.groups + len(block))
        self.groups += len(block)
        return block if np.array_equal(index, block.index) else replace(block, index=index)

    def _walk(self, blocks: Sequence[FrameBlock], start: int, stop: int | None) -> list[FrameBlock]:
        """Take the records one by one."""
        columns = [
            np.concatenate([block.table[name] for block in blocks]).tolist()
            for name in ("transmitter", "sequence", "capture_ns", "core", "stream")
        ]
        where = [(block, row) for block in blocks for row in range(len(block))]
        kinds = {id(block): _kind(block) for block in blocks}
        for at in stream_order(blocks)[start:stop].tolist():
            sender, sequence, now_ns, core, stream = (column[at] for column in columns)
            self._close_late(now_ns)
            self._pattern(sender).note_late(sequence, now_ns, (core, stream), self._within_ns)
            key = (sender, sequence, kinds[id(where[at][0])])
            self._add(key, now_ns, (core, stream), where[at])
        done = self._done()
        for frame in self._queue:
            frame.keep()
        return done

    def _add(self, key: Key, now_ns: int, place: Place, record: tuple[FrameBlock, int]) -> None:
        """Put a record to the others of its frame, or begin one with it."""
        frame = self._open.get(key)
        if frame is not None and place in frame.members:
            self._close(key)
            frame = None
        if frame is None:
            frame = self._open[key] = Frame(now_ns, key[2], self._begun)
            self._begun += 1
            self._queue.append(frame)
        frame.members[place] = record
        if 0 < len(self._pattern(key[0])) <= len(frame.members):
            self._close(key)

    def _pattern(self, sender: int) -> Pattern:
        if sender not in self._patterns:
            if len(self._patterns) >= _MAX_SENDERS:
                del self._patterns[next(iter(self._patterns))]
            self._patterns[sender] = Pattern()
        return self._patterns[sender]

    def _close_late(self, now_ns: int) -> None:
        """Close the frames for which nothing more can come, or too many wait."""
        while self._open:
            key, frame = next(iter(self._open.items()))
            in_time = abs(now_ns - frame.opened_ns) <= self._within_ns
            if in_time and self._begun - frame.number <= _MAX_WAITING:
                return
            self._close(key)

    def _close(self, key: Key) -> None:
        frame = self._open.pop(key)
        sender, sequence, _ = key
        pattern = self._pattern(sender)
        is_first = not pattern
        pattern.note(sequence, frame.opened_ns, frozenset(frame.members))
        frame.whole = pattern.largest
        if is_first:
            for other in [key for key in self._open if key[0] == sender]:
                if len(self._open[other].members) >= len(pattern):
                    self._close(other)

    def _done(self) -> list[FrameBlock]:
        """Frames that are done, and not behind one that is not."""
        frames = []
        while self._queue and self._queue[0].whole is not None:
            frames.append(self._queue.popleft())
        done = join(frames, self.groups)
        self.groups += len(frames)
        self.incomplete += sum(frame.is_incomplete for frame in frames)
        return done


def _kind(block: FrameBlock) -> Hashable:
    """What records of one frame have in common beside sender and number."""
    return block.shape[0], block.raw.dtype.str, block.bandwidth_mhz, block.tones.tobytes()


__all__ = ["Grouper"]
