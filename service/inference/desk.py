"""How many inferences run beside each other: few, so that everything else the API answers stays quick."""

import os
from collections.abc import Callable
from typing import TypeVar

import anyio
import anyio.to_thread

from service.inference.refusal import InferenceRefusal

MOST_WAITING = 64
T = TypeVar("T")


class Desk:
    """Runs work in threads of its own limit; who comes when too many wait is sent away at once."""

    def __init__(self, threads: int | None = None, *, most_waiting: int = MOST_WAITING) -> None:
        self._limiter = anyio.CapacityLimiter(threads or max(1, (os.cpu_count() or 2) // 2))
        self._most_waiting = most_waiting

    @property
    def waiting(self) -> int:
        """How many wait for a thread."""
        return self._limiter.statistics().tasks_waiting

    async def do(self, work: Callable[[], T]) -> T:
        """What the work returns.

        Raises:
            InferenceRefusal: 503; too many wait.
        """
        if self.waiting >= self._most_waiting:
            raise InferenceRefusal(
                503, f"{self._most_waiting} inferences wait already; try again", {"Retry-After": "1"}
            )
        return await anyio.to_thread.run_sync(work, limiter=self._limiter)
