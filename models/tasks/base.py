"""What a task is to the running system: evidence of one window in, one prediction out."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from models.prediction import JsonValue, Prediction
from models.runtime import Backbone
from models.signal.fading import Fading
from models.signal.motion import Motion, motion
from models.signal.variation import Variation, variation
from models.signal.window import Window


class View:
    """A window and what is computed from it, each once however many tasks ask."""

    def __init__(self, window: Window) -> None:
        self.window = window

    @cached_property
    def fading(self) -> Mapping[str, Fading]:
        """How the power of every link goes up and down."""
        window = self.window
        return {part.link: Fading(part, window.start_ns, window.end_ns) for part in window.parts}

    @cached_property
    def motions(self) -> Mapping[str, Motion]:
        """Motion of every link that has frames close enough together."""
        found = {link: motion(fading) for link, fading in self.fading.items()}
        return {link: one for link, one in found.items() if one is not None}

    @cached_property
    def variation(self) -> Variation:
        """Features of the window."""
        return variation(list(self.fading.values()))


@dataclass(frozen=True, slots=True)
class Evidence:
    """A window that holds enough frames, and what is known of its room.

    `model` is the model that may speak for this task and these frames (DESIGN A6), None if there is none;
    `baselines` are empty-room baselines by link.
    """

    view: View
    model: Backbone | None
    baselines: Mapping[str, JsonValue]


class Task(Protocol):
    """One task; a new one is one file and one line in `models.tasks.TASKS`."""

    name: str
    needs_model: bool
    """Whether the task is silent without a model that may speak (`no_model` or `uncalibrated`)."""

    def predict(self, evidence: Evidence) -> Prediction:
        """The answer for one window; unknown with a reason where there is no ground for a value."""
        ...
