"""Work that may take seconds: few at once, on threads of their own, so that nobody else waits behind it.

Who comes when all of them are taken waits; nothing is refused. A download takes a thread for one piece at a
time, in turn with others, and none while its caller reads slowly.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from functools import partial
from typing import Final, TypeVar

import anyio
import anyio.to_thread

AT_ONCE: Final = 2
_PIECE_BYTES: Final = 64 * 1024
T = TypeVar("T")


class LongWork:
    """The threads for it, of one process."""

    def __init__(self) -> None:
        self._limiter = anyio.CapacityLimiter(AT_ONCE)

    async def run(self, work: Callable[[], T]) -> T:
        """What the work returns."""
        return await anyio.to_thread.run_sync(work, limiter=self._limiter)

    async def pieces(self, parts: Iterator[bytes]) -> AsyncIterator[bytes]:
        """All parts, many of them in one piece: a way to a thread and back costs more than a small part."""
        following = partial(_next_piece, parts)
        while piece := await self.run(following):
            yield piece


def _next_piece(parts: Iterator[bytes]) -> bytes:
    """The next parts, put together until they are large enough; empty after the last."""
    piece = bytearray()
    for part in parts:
        piece += part
        if len(piece) >= _PIECE_BYTES:
            break
    return bytes(piece)
