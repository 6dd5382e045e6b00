"""What a source or a capture gave: bytes, records, frames, and per-frame facts in stream order."""

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from drivers.account import Account
from drivers.errors import SourceError
from drivers.frame import FrameBlock
from drivers.live.base import LiveSource
from drivers.registry import Nic
from drivers.stream import Stream

MAX_FRAMES = 200_000
"""Longer captures are looked at no further: a fault shows long before."""


@dataclass(slots=True)
class Seen:
    """Facts to judge.

    Attributes:
        nic: whose bytes these are.
        account: where every byte went.
        size: bytes that came.
        listened_s: seconds listened to a live source, None for a capture.
        lost: records that the transport lost, by reason.
        ignored: what the source left out on purpose, by reason.
        trouble: why the source could not be opened or broke off, None if it did not.
        unauthenticated: whether anybody could have sent the bytes.
        whole: whether all of a capture was looked at.
    """

    nic: Nic
    account: Account = field(default_factory=Account)
    size: int = 0
    listened_s: float | None = None
    lost: Counter[str] = field(default_factory=Counter)
    ignored: Counter[str] = field(default_factory=Counter)
    trouble: str | None = None
    unauthenticated: bool = False
    whole: bool = True
    _blocks: list[tuple[npt.NDArray[np.int64], npt.NDArray[np.void], int]] = field(default_factory=list)

    def add(self, blocks: Iterable[FrameBlock]) -> None:
        """Take in frames."""
        for block in blocks:
            antennas = int(np.count_nonzero(block.antennas_used))
            self._blocks.append((block.index, block.table.copy(), antennas))

    @property
    def records(self) -> int:
        """Records of any kind that were found whole."""
        return self.account.frames + sum(self.account.skipped.values())

    def table(self) -> npt.NDArray[np.void]:
        """One row a frame (`FRAME_TABLE`), in stream order."""
        table: npt.NDArray[np.void] = np.concatenate([table for _, table, _ in self._blocks])
        return table[np.argsort(np.concatenate([index for index, _, _ in self._blocks]), kind="stable")]

    def antennas(self) -> Counter[int]:
        """How many frames used how many receive antennas."""
        count: Counter[int] = Counter()
        for index, _, antennas in self._blocks:
            count[antennas] += len(index)
        return count


def listen(source: LiveSource, nic: Nic, seconds: float) -> Seen:
    """What a live source gives within this time."""
    seen, stream, started = Seen(nic, unauthenticated=source.unauthenticated), Stream(nic), time.monotonic()
    own = len(source.opening)  # the file header that we put there: no byte of the card
    try:
        for chunk in source:
            seen.add(stream.feed(chunk))
            if time.monotonic() - started >= seconds:
                break
    except SourceError as error:
        seen.trouble = str(error)
    seen.listened_s = time.monotonic() - started
    seen.lost, seen.ignored = Counter(source.lost), Counter(source.ignored)
    seen.trouble = seen.trouble or source.trouble
    return _closed(seen, stream, own)


def look_into(chunks: Iterable[bytes], nic: Nic) -> Seen:
    """What a capture holds, up to `MAX_FRAMES` frames."""
    seen, stream = Seen(nic), Stream(nic)
    try:
        for chunk in chunks:
            seen.add(stream.feed(chunk))
            if stream.frames >= MAX_FRAMES:
                seen.whole = False
                break
    except SourceError as error:
        seen.trouble = str(error)
    return _closed(seen, stream, 0)


def _closed(seen: Seen, stream: Stream, own: int) -> Seen:
    seen.add(stream.finish())
    seen.account, seen.size = stream.account, max(stream.bytes_fed - own, 0)
    return seen
