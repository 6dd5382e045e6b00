"""Bodies about states and predictions."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

from service.api.documents.common import Cursor
from service.state import TaskState


class StateEnvelope(BaseModel):
    """States of one room; `sequence` is the number of the event that last changed one of them."""

    room: str
    sequence: int
    tasks: list[TaskState]


class ZoneMember(BaseModel):
    """What one room says of a zone; `value` null: not known, for that `reason`."""

    room: str
    value: Literal["occupied", "vacant"] | None
    reason: str | None


class ZoneState(BaseModel):
    """Whether anybody is in a zone. `probability` is the least that holds however its rooms hang together."""

    zone: str
    sequence: int
    status: Literal["ok", "unknown", "paused"]
    reason: str | None
    value: Literal["occupied", "vacant"] | None
    probability: float | None
    since: str | None
    members: list[ZoneMember]


class StatePage(BaseModel):
    """States of all rooms and zones, at one moment."""

    sequence: int
    items: list[StateEnvelope]
    zones: list[ZoneState]
    next_cursor: Cursor


class PredictionItem(BaseModel):
    """What was predicted for one window."""

    model_config = ConfigDict(extra="allow")

    room: str
    task: str
    window: dict[str, str]
    observed_at: str


class PredictionPage(BaseModel):
    """Predictions, newest first."""

    items: list[PredictionItem]
    next_cursor: Cursor
