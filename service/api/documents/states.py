"""Bodies about states and predictions."""

from pydantic import BaseModel, ConfigDict

from service.api.documents.common import Cursor
from service.state import TaskState


class StateEnvelope(BaseModel):
    """States of one room; `sequence` is the number of the event that last changed one of them."""

    room: str
    sequence: int
    tasks: list[TaskState]


class StatePage(BaseModel):
    """States of all rooms, at one moment."""

    sequence: int
    items: list[StateEnvelope]
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
