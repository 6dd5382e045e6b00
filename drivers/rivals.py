"""When the sender that is followed falls silent: who takes its place.

Another one is followed once the followed one has been silent for `SILENT_NS` of capture time and the other
delivers steadily: for `STEADY_NS` at least, `STEADY_FRAMES` at least, never more than `PAUSE_NS` apart.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

SILENT_NS = 5_000_000_000
STEADY_NS = 2_000_000_000
STEADY_FRAMES = 10
PAUSE_NS = 1_000_000_000
MAX_RIVALS = 256
"""So many are looked at; a storm of made-up addresses costs no more."""

Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Change:
    """From frame `at` on, sender `to` is followed."""

    at: int
    to: int


@dataclass(slots=True)
class _Run:
    """Frames of one sender without a long pause."""

    since_ns: int
    last_ns: int
    frames: int = 0

    def add(self, time_ns: int) -> None:
        if time_ns - self.last_ns > PAUSE_NS:
            self.since_ns, self.frames = time_ns, 0
        self.last_ns = max(self.last_ns, time_ns)
        self.frames += 1

    def is_steady(self, now_ns: int) -> bool:
        long_enough = self.last_ns - self.since_ns >= STEADY_NS and self.frames >= STEADY_FRAMES
        return long_enough and now_ns - self.last_ns <= PAUSE_NS


class Rivals:
    """Watches the senders beside the one that is followed.

    Args:
        heard_ns: capture time at which the followed one was heard.
    """

    def __init__(self, heard_ns: int) -> None:
        self._heard_ns = heard_ns
        self._runs: dict[int, _Run] = {}

    def look(self, macs: npt.NDArray[np.uint64], times: Ints, own: npt.NDArray[np.bool_]) -> Change | None:
        """Take in frames in stream order (`own`: of the followed sender), up to a change, if there is one."""
        start = self._skip(times, own)
        frames = zip(macs[start:].tolist(), times[start:].tolist(), own[start:].tolist(), strict=True)
        for at, (mac, time_ns, is_own) in enumerate(frames, start):
            if is_own:
                self._hear(time_ns)
            elif mac and (to := self._add(mac, time_ns)):
                self._heard_ns, self._runs = time_ns, {}
                return Change(at, to)
        return None

    def _skip(self, times: Ints, own: npt.NDArray[np.bool_]) -> int:
        """Number of frames that change nothing: those before the last own one, if it was never silent."""
        rows = np.flatnonzero(own)
        if not len(rows):
            return 0
        end = int(rows[-1]) + 1
        heard = np.maximum.accumulate(np.where(own[:end], times[:end], self._heard_ns))
        before = np.concatenate([[self._heard_ns], heard[:-1]])
        if np.any(~own[:end] & (times[:end] - before >= SILENT_NS)):
            return 0
        self._hear(int(heard[-1]))
        return end

    def _hear(self, time_ns: int) -> None:
        self._heard_ns = max(self._heard_ns, time_ns)
        self._runs.clear()

    def _add(self, mac: int, time_ns: int) -> int:
        """Note a frame of another sender; whom to follow from here on, 0 for nobody else."""
        run = self._runs.get(mac)
        if run is None:
            if len(self._runs) >= MAX_RIVALS:
                return 0
            run = self._runs[mac] = _Run(time_ns, time_ns)
        run.add(time_ns)
        if time_ns - self._heard_ns < SILENT_NS:
            return 0
        steady = [(one.frames, -other) for other, one in self._runs.items() if one.is_steady(time_ns)]
        return -max(steady)[1] if steady else 0
