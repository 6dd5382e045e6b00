"""When packets arrive: rate, jitter, bursts and losses."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from drivers.simulate.room import Floats


@dataclass(frozen=True, slots=True)
class Traffic:
    """The packets a NIC hears.

    Attributes:
        rate_hz: packets a second on average, before losses.
        jitter: standard deviation of a packet's delay, as a share of the packet interval.
        bursty: share of packets that wait for the next one and come right before it, as on a busy channel.
        loss: share of packets that are never heard.
    """

    rate_hz: float = 100.0
    jitter: float = 0.05
    bursty: float = 0.0
    loss: float = 0.0

    def __post_init__(self) -> None:
        if not 0 < self.rate_hz <= 10_000:
            raise ValueError(f"a packet rate of {self.rate_hz} Hz is outside 0..10000")
        if not (0 <= self.loss < 1 and 0 <= self.bursty < 1 and self.jitter >= 0):
            raise ValueError("loss and bursty are shares in 0..1, jitter is not negative")

    def arrivals(
        self, first: int, count: int, rng: np.random.Generator
    ) -> tuple[Floats, npt.NDArray[np.bool_]]:
        """Times and fate of packets `first` to `first + count`.

        Returns:
            Seconds since the start ``[count]``, not falling, and which of them are heard ``[count]``.
        """
        slot = np.arange(first, first + count, dtype=np.float64)
        delay = np.clip(np.abs(rng.normal(0, self.jitter, count)), 0, 0.9)
        waits = rng.random(count) < self.bursty
        times = (slot + np.where(waits, 0.97, delay)) / self.rate_hz
        return np.maximum.accumulate(times), rng.random(count) >= self.loss
