"""How long each step of an evaluation takes, in processor seconds, and which took longest."""

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Stopwatch:
    """Remembers the longest of all steps; a step is a fit with all that it chooses, or an answer."""

    def __init__(self) -> None:
        self._longest = ("nothing", 0.0)

    @contextmanager
    def step(self, name: str) -> Iterator[None]:
        """Time what is done inside, in processor seconds of this process."""
        began = time.process_time()
        try:
            yield
        finally:
            self._longest = max(self._longest, (name, time.process_time() - began), key=lambda one: one[1])

    def told(self) -> dict[str, str | float]:
        """The longest step: its name, and its processor seconds to a tenth."""
        name, seconds = self._longest
        return {"step": name, "cpu_s": round(seconds, 1)}
