"""Bodies about events and alerts."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from service.api.documents.common import Cursor


class CloudEvent(BaseModel):
    """A CloudEvents 1.0 document."""

    specversion: Literal["1.0"]
    id: str
    source: str
    type: str
    subject: str | None = None
    time: str
    sequence: str
    datacontenttype: str
    data: dict[str, Any]


class EventLogPage(BaseModel):
    """Events in order. `complete` False: some after the number asked for are gone (retention)."""

    events: list[CloudEvent]
    next_after: int
    complete: bool


class Alert(BaseModel):
    """An alert."""

    model_config = ConfigDict(extra="allow")

    alert_id: str
    rule: str
    room: str | None
    severity: Literal["info", "warning", "critical"]
    state: Literal["raised", "cleared"]
    raised_at: str
    updated_at: str
    cleared_at: str | None


class AlertPage(BaseModel):
    """Alerts, newest first."""

    items: list[Alert]
    next_cursor: Cursor
