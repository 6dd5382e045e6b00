"""What a model says about one window of a room: a calibrated value, or unknown with a reason."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

JsonValue = str | int | float | bool | None | list["JsonValue"] | dict[str, "JsonValue"]


class Reason(StrEnum):
    """Why a task is unknown (DESIGN A3)."""

    NO_FRAMES = "no_frames"
    LOW_OCCUPANCY = "low_occupancy"
    UNCALIBRATED = "uncalibrated"
    STALE = "stale"
    NO_MODEL = "no_model"
    WORKER_DOWN = "worker_down"
    MODEL_ERROR = "model_error"


@dataclass(frozen=True, slots=True)
class ModelRef:
    """Which model spoke. `trained_on` is the card's word, e.g. ``"simulation"`` or a data set's name."""

    name: str
    version: str
    digest: str
    trained_on: str
    provisional: bool = False


@dataclass(frozen=True, slots=True)
class Prediction:
    """One task's answer for one window.

    Exactly one of `value` and `reason` is None. `probability` is that of `value` (0..1); `interval` is the
    90 % prediction interval of a number; `extras` are further facts of the task, such as presence's
    ``motion`` (0..1) and ``still``.
    """

    task: str
    value: JsonValue = None
    probability: float | None = None
    interval: tuple[float, float] | None = None
    reason: Reason | None = None
    model: ModelRef | None = None
    extras: Mapping[str, JsonValue] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if (self.value is None) == (self.reason is None):
            raise ValueError(
                f"{self.task}: a prediction has a value or a reason, got {self.value}, {self.reason}"
            )

    @classmethod
    def unknown(cls, task: str, reason: Reason, model: ModelRef | None = None) -> Self:
        """The honest answer when there is no ground for a value."""
        return cls(task=task, reason=reason, model=model)
