"""A candidate beside the head that serves: how often they disagree, and how restless each is."""

from dataclasses import dataclass, field
from typing import Final

from models.prediction import JsonValue, Prediction, Reason

_UNHEARD: Final = frozenset({Reason.NO_FRAMES, Reason.LOW_OCCUPANCY})
"""The air's fault, not the candidate's."""


@dataclass(slots=True)
class ShadowRun:
    """Counts of one candidate over live windows; nobody is told its answers.

    Attributes:
        hop_s: from one window to the next.
        windows: it was asked about; `errors` of them it failed on or did not answer.
        disagreed: of those that both answered (`both`), how many it answered otherwise.
        unheard: further windows that held too few frames for either; they say nothing of it.
    """

    version: int
    hop_s: float = 1.0
    windows: int = 0
    errors: int = 0
    both: int = 0
    disagreed: int = 0
    unheard: int = 0
    _flips: dict[str, int] = field(default_factory=lambda: {"candidate": 0, "active": 0})
    _last: dict[str, JsonValue] = field(default_factory=dict)

    def see(self, candidate: Prediction, active: Prediction) -> None:
        """Both answers to one window."""
        if candidate.reason in _UNHEARD and active.value is None:
            self.unheard += 1
            return
        self.windows += 1
        self.errors += candidate.value is None
        if candidate.value is not None and active.value is not None:
            self.both += 1
            self.disagreed += _said(candidate) != _said(active)
        for name, one in (("candidate", candidate), ("active", active)):
            if one.value is None:
                continue
            if name in self._last:
                self._flips[name] += self._last[name] != _said(one)
            self._last[name] = _said(one)

    def report(self) -> dict[str, JsonValue]:
        """As the version's `shadow` holds it; shares are of windows, None before the first one."""
        answered = self.windows - self.errors
        return {
            "windows": self.windows,
            "seconds": round(self.windows * self.hop_s, 3),
            "unheard": self.unheard,
            "errors": self.errors,
            "disagree": round(self.disagreed / self.both, 3) if self.both else None,
            "flips": round(self._flips["candidate"] / (answered - 1), 3) if answered > 1 else None,
            "flips_active": round(self._flips["active"] / (self.both - 1), 3) if self.both > 1 else None,
        }


def _said(prediction: Prediction) -> JsonValue:
    """The answer, without the numbers that differ from window to window."""
    value = prediction.value
    return value.get("cell") if isinstance(value, dict) else value
