"""What a task is to the running system: evidence of one window in, one prediction out."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from models.memory import RoomMemory
from models.prediction import JsonValue, ModelRef, Prediction
from models.signal.view import View
from models.zoo.card import Card


class Reader(Protocol):
    """What tasks ask: a backbone, or one with a room's own head behind it."""

    @property
    def card(self) -> Card:
        """What its logits are, and how they become probabilities."""
        ...

    @property
    def ref(self) -> ModelRef:
        """How predictions name it."""
        ...

    def read(self, view: View) -> npt.NDArray[np.float32] | None:
        """Logits ``[output]`` of one window; None when no stream is measured."""
        ...


@dataclass(frozen=True, slots=True)
class Evidence:
    """A window that holds enough frames, and what is known of its room.

    `model` is the model that may speak for this task and these frames (DESIGN A6), None if there is none;
    `baselines` are empty-room baselines by link; `memory` is what the room remembers, None where windows are
    looked at one by one.
    """

    view: View
    model: Reader | None
    baselines: Mapping[str, JsonValue]
    memory: RoomMemory | None = None


class Task(Protocol):
    """One task; a new one is one file and one line in `models.tasks`, or an entry point (CONTRIBUTING)."""

    name: str
    needs_model: bool
    """Whether the task is silent without a model that may speak (`no_model` or `uncalibrated`)."""

    def predict(self, evidence: Evidence) -> Prediction:
        """The answer for one window; unknown with a reason where there is no ground for a value."""
        ...


__all__ = ["Evidence", "Reader", "Task", "View"]
