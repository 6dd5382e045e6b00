"""Reading live sources in tests: until a condition holds, with the parser behind them."""

import time
from collections.abc import Callable
from itertools import takewhile

from drivers.frame import FrameBlock
from drivers.live import LiveSource
from drivers.stream import Stream

DEADLINE_S = 30.0


class Reader:
    """A source and a stream behind it.

    Attributes:
        data: all bytes so far. blocks: all frames so far. stream: with its account.
    """

    def __init__(self, source: LiveSource) -> None:
        self.source, self.stream = source, Stream(source.nic)
        self.data = b""
        self.blocks: list[FrameBlock] = []
        self._chunks = iter(source)

    def until(self, done: Callable[[], object], why: str) -> None:
        """Read on until `done`; fails after a generous deadline, or where the source ends first."""
        end = time.monotonic() + DEADLINE_S
        while not done():
            assert time.monotonic() < end, f"waited {DEADLINE_S:g} s for {why}; {self.source.lost}"
            self.take(next(self._chunks))

    def rest(self, seconds_of_silence: float = 0.1) -> None:
        """Read on until nothing comes."""
        quiet = takewhile(lambda _: quiet_for() < seconds_of_silence, self._chunks)
        heard = time.monotonic()

        def quiet_for() -> float:
            return time.monotonic() - heard

        for chunk in quiet:
            if chunk:
                heard = time.monotonic()
            self.take(chunk)

    def to_end(self) -> None:
        """Read all that comes before the source ends."""
        for chunk in self._chunks:
            self.take(chunk)

    def take(self, chunk: bytes) -> None:
        self.data += chunk
        self.blocks += self.stream.feed(chunk)

    def finish(self) -> None:
        self.blocks += self.stream.finish()

    @property
    def frames(self) -> int:
        return self.stream.frames
