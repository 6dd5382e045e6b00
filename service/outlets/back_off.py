"""How long to wait before trying again: longer each time, never in step with others."""

import random
from typing import Final

FIRST_S: Final = 0.5
LONGEST_S: Final = 60.0


class BackOff:
    """Exponential, with jitter: between half of a doubling time and all of it."""

    def __init__(self) -> None:
        self.failures = 0

    def next_s(self) -> float:
        """Seconds to wait after one more failure."""
        full_s: float = min(LONGEST_S, FIRST_S * 2.0 ** min(self.failures, 20))
        self.failures += 1
        return full_s * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, guards nothing

    def reset(self) -> None:
        """It worked."""
        self.failures = 0
