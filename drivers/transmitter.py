"""One transmitter a link: two senders are two channels, and their frames mixed are neither.

Frames whose NIC does not say who sent them (`transmitter` 0) pass, but not where one address is asked for.
"""

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from drivers.batch import stream_order
from drivers.errors import OptionError
from drivers.frame import FrameBlock
from drivers.rivals import Rivals

AUTO, ANY = "auto", "any"
HOLD_NS = 1_000_000_000
"""`auto` holds frames back for this long (capture time) and then takes the sender of most of them."""
HOLD_FRAMES = 1024
"""It decides earlier when it holds this many, as with a clock that stands still."""
_MAC = re.compile(r"[0-9a-f]{2}([:-][0-9a-f]{2}){5}", re.IGNORECASE)

Ints = npt.NDArray[np.int64]
Macs = npt.NDArray[np.uint64]
Mask = npt.NDArray[np.bool_]


def parse_mac(text: str) -> int:
    """The address as an integer, first byte highest.

    Raises:
        OptionError: it is none.
    """
    if not _MAC.fullmatch(text) or not (value := int(re.sub("[:-]", "", text), 16)):
        raise OptionError(
            f"{text!r} names no transmitter: give a MAC address such as 00:16:ea:12:34:56, auto or any"
        )
    return value


class TransmitterFilter:
    """Lets the frames of one sender pass; the result does not depend on how the frames were cut into calls.

    Args:
        wanted: a MAC address; ``"auto"``: the sender of most frames of the first second, and when it falls
            silent another one that delivers steadily (`drivers.rivals`); ``"any"``: everybody.

    Attributes:
        followed: address that passes, 0 while there is none (or everybody passes).
        roamed: how often another one took its place.
        rejected: frames kept out: ``other_transmitter``, and ``unknown_transmitter`` where one address is
            asked for and the frame does not say who sent it.

    Raises:
        OptionError: `wanted` is none of these.
    """

    def __init__(self, wanted: str = AUTO) -> None:
        self._any, self._auto = wanted == ANY, wanted == AUTO
        self.followed = 0 if self._any or self._auto else parse_mac(wanted)
        self.roamed = 0
        self.rejected: Counter[str] = Counter()
        self._held: list[FrameBlock] = []
        self._rivals: Rivals | None = None

    @property
    def holds(self) -> bool:
        """Whether frames wait for the decision whom to follow."""
        return bool(self._held)

    def take(self, blocks: Sequence[FrameBlock]) -> list[FrameBlock]:
        """Those of these frames (and of those held before) that pass now."""
        return self._take(blocks, final=False)

    def flush(self) -> list[FrameBlock]:
        """Decide on what is held, be it much or little."""
        return self._take([], final=True)

    def _take(self, blocks: Sequence[FrameBlock], *, final: bool) -> list[FrameBlock]:
        if self._any:
            return list(blocks)
        blocks = [*self._held, *blocks]
        macs, times, places = _in_order(blocks)
        if not len(macs) or (self._auto and not self.followed and not macs.any()):
            return blocks
        if self._auto and not self.followed and not self._choose(macs, times, final=final):
            self._held = blocks
            return []
        self._held = []
        return _select(blocks, places, self._judge(macs, times))

    def _choose(self, macs: Macs, times: Ints, *, final: bool) -> bool:
        """Whether the first second is over; then the sender of most of its frames is followed."""
        first = int(np.argmax(macs != 0))
        over = np.flatnonzero(times[first:] - times[first] >= HOLD_NS)
        end = first + min(int(over[0]) if len(over) else HOLD_FRAMES, HOLD_FRAMES)
        if end >= len(macs) and not final:
            return False
        among = macs[first:end]
        seen, where, count = np.unique(among[among != 0], return_index=True, return_counts=True)
        self.followed = int(seen[np.lexsort((where, -count))[0]])
        self._rivals = Rivals(int(times[first]))
        return True

    def _judge(self, macs: Macs, times: Ints) -> Mask:
        """Which frames pass, in stream order; follows another sender on the way where one takes over."""
        passes = np.empty(len(macs), np.bool_)
        start = 0
        while start < len(macs):
            own = macs[start:] == np.uint64(self.followed)
            change = self._rivals.look(macs[start:], times[start:], own) if self._rivals is not None else None
            stop = len(macs) if change is None else start + change.at
            passes[start:stop] = own[: stop - start]
            start = stop
            if change is not None:
                self.followed, self.roamed = change.to, self.roamed + 1
        unknown = macs == 0
        if self._auto:
            passes |= unknown
        for reason, kept_out in (("other_transmitter", ~unknown), ("unknown_transmitter", unknown)):
            if count := int((~passes & kept_out).sum()):
                self.rejected[reason] += count
        return passes


def _in_order(blocks: Sequence[FrameBlock]) -> tuple[Macs, Ints, Ints]:
    """Sender and time of all frames in stream order, and where each frame of the blocks is in it."""
    if not blocks:
        return np.empty(0, np.uint64), np.empty(0, np.int64), np.empty(0, np.int64)
    order = stream_order(blocks)
    places = np.empty(len(order), np.int64)
    places[order] = np.arange(len(order))
    macs = np.concatenate([block.table["transmitter"] for block in blocks])[order]
    times = np.concatenate([block.table["capture_ns"] for block in blocks])[order]
    return macs, times, places


def _select(blocks: Sequence[FrameBlock], places: Ints, passes: Mask) -> list[FrameBlock]:
    """The blocks without what does not pass; untouched where all of it does."""
    if passes.all():
        return list(blocks)
    kept, start = [], 0
    for block in blocks:
        chosen = passes[places[start : start + len(block)]]
        start += len(block)
        if chosen.any():
            kept.append(block if chosen.all() else block.take(chosen))
    return kept
