"""What a room remembers from window to window: slow series for breathing, walks, and votes on them."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from models.signal.breathing import Breathing, BreathingTrack
from models.signal.segments import Segment, Segmenter
from models.signal.view import View
from models.signal.voting import Voter

MOVING_ON, MOVING_OFF = 0.4, 0.25
"""Motion statistic at which a walk begins, and below which it may end."""
_SECOND = 1e9


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the windows of a walk said together: the walk, and probabilities ``[class]``."""

    walk: Segment
    probabilities: npt.NDArray[np.float64]


@dataclass(slots=True)
class RoomMemory:
    """Of one room; bounded, and empty after a restart: it fills again within 20 s.

    Attributes:
        verdict: on the last walk that is over, None before the first.
    """

    verdict: Verdict | None = None
    _tracks: dict[str, BreathingTrack] = field(default_factory=dict)
    _walks: Segmenter = field(
        default_factory=lambda: Segmenter(MOVING_ON, MOVING_OFF, gap_s=2.0, least_s=0.0)
    )
    _voter: Voter = field(default_factory=Voter)

    def breathing(self, view: View) -> Mapping[str, Breathing]:
        """Take a window's new frames; links on which somebody is seen to breathe."""
        for part in view.window.parts:
            self._tracks.setdefault(part.link, BreathingTrack()).push(part)
        found = {part.link: self._tracks[part.link].found() for part in view.window.parts}
        return {link: one for link, one in found.items() if one is not None}

    def walked(self, view: View, probabilities: npt.NDArray[np.float64]) -> Verdict | None:
        """Take what a window says of what is carried; the verdict on a walk, when one is over now."""
        time_s = (view.window.start_ns + view.window.end_ns) / 2 / _SECOND
        moving = max((one.statistic for one in view.motions.values()), default=0.0)
        self._voter.push(time_s, probabilities)
        for walk in self._walks.push(time_s, moving):
            answer = self._voter.close(walk.start_s, walk.end_s)
            if answer is not None:
                self.verdict = Verdict(walk, answer)
                return self.verdict
        return None
