"""Bodies about events."""

from typing import Any, Literal

from pydantic import BaseModel


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
