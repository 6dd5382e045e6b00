"""Recording: from a live source into a take, with counts of what came and what did not."""

import time
from collections.abc import Callable, Iterator

from drivers.frame import FrameBlock
from drivers.live import LiveSource
from drivers.loss import Loss, RunningLoss
from drivers.stream import Stream
from service.recording.take import Take


class Run:
    """One run of a recording, which may be the second after an interruption.

    Args:
        take: where the bytes go.
        live: where they come from.

    Attributes:
        stream: parses what comes, to count it; the bytes are written as they came.
    """

    def __init__(self, take: Take, live: LiveSource) -> None:
        self.take, self.live = take, live
        self.stream = Stream(live.nic)
        self._loss = RunningLoss()
        self._began = time.monotonic()

    @property
    def frames(self) -> int:
        """Frames in the whole recording."""
        return self.take.frames_before + self.stream.frames

    @property
    def loss(self) -> Loss:
        """Frames of this run that never came, as far as counter or clock tell."""
        return self._loss.loss()

    @property
    def rate_hz(self) -> float:
        """Frames a second of this run."""
        return self.stream.frames / max(time.monotonic() - self._began, 1e-3)

    def steps(self, stopped: Callable[[], bool]) -> Iterator[None]:
        """Record until it is long enough, the source ends, or `stopped`; yields after every read.

        Raises:
            RecordingError: the disk is full or fails.
            SourceError: the source broke.
        """
        behind = len(self.live.opening) if self.take.size else 0  # a resumed file has its beginning
        chunks = iter(self.live)
        try:
            while not (self._is_long_enough or stopped()) and (chunk := next(chunks, None)) is not None:
                self.take.write(chunk[behind:])
                behind = max(behind - len(chunk), 0)
                self._count(self.stream.feed(chunk))
                yield
        finally:
            self._count(self.stream.finish())

    def _count(self, blocks: list[FrameBlock]) -> None:
        for block in blocks:
            self._loss.add(block)

    @property
    def _is_long_enough(self) -> bool:
        return self.take.wanted_s is not None and self.take.seconds >= self.take.wanted_s

    @property
    def shortfall(self) -> str | None:
        """Why the recording is not complete; None if it is."""
        seconds, nic = self.take.seconds, self.live.nic
        if not self.frames:
            return (
                f"no frame in {seconds:.0f} s from {self.live.description}; "
                f"`roomtone doctor --nic {nic.NAME}` finds out why"
            )
        if self.take.wanted_s is None or self._is_long_enough:
            return None
        return f"it ended after {seconds:.1f} of {self.take.wanted_s:g} s"
