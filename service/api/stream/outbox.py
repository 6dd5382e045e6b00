"""What waits for one client of the alert stream: bounded, and alerts are never dropped."""

import asyncio
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass

MAX_WAITING = 1000


@dataclass(slots=True)
class StreamEnd(Exception):  # noqa: N818 - an end, not always an error
    """The stream must be closed: close code, reason for people, and a last message if there is one."""

    code: int
    reason: str
    message: dict[str, object] | None = None


class Outbox:
    """An ordered queue of encoded messages.

    A client that keeps up gets every one. Once more than half of `limit` wait, of those with one key only the
    newest waits on; more than `limit` that nothing may replace end the stream.
    """

    def __init__(self, limit: int = MAX_WAITING) -> None:
        self._limit = limit
        self._waiting: OrderedDict[int, tuple[Hashable | None, str]] = OrderedDict()
        self._newest: dict[Hashable, int] = {}  # of each key, the sequence that waits
        self._lasting = 0  # messages that may not be replaced
        self._filled = asyncio.Event()
        self._end: StreamEnd | None = None
        self.ended = asyncio.Event()

    def put(self, sequence: int, key: Hashable | None, text: str) -> None:
        """Append a message; more than the limit waiting ends the stream with 4408."""
        if self._end is not None:
            return
        if key is None:
            self._lasting += 1
        else:
            if 2 * len(self._waiting) >= self._limit:
                self._waiting.pop(self._newest.get(key, -1), None)
            self._newest[key] = sequence
        self._waiting[sequence] = key, text
        self._filled.set()
        if self._lasting > self._limit:
            self.end(StreamEnd(4408, f"overflow: more than {self._limit} messages waited for you"))

    def end(self, end: StreamEnd) -> None:
        """Let the client's `take` raise `end` instead of what still waits; only the first end counts."""
        if self._end is None:
            self._end = end
            self._waiting.clear()
            self._newest.clear()
            self._filled.set()
            self.ended.set()

    async def take(self) -> str:
        """The next message, in order.

        Raises:
            StreamEnd: the stream must be closed.
        """
        while not self._waiting:
            if self._end is not None:
                raise self._end
            self._filled.clear()
            await self._filled.wait()
        sequence, (key, text) = self._waiting.popitem(last=False)
        if key is None:
            self._lasting -= 1
        elif self._newest[key] == sequence:
            del self._newest[key]
        return text
