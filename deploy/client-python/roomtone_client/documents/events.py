"""Events, alerts, and how things stand at a moment."""

from datetime import datetime
from typing import Any, Literal

import msgspec

from roomtone_client.documents.rooms import RoomState

Severity = Literal["info", "warning", "critical"]


class Event(msgspec.Struct, frozen=True):
    """A numbered event, a CloudEvents 1.0 document; `source` and `id` together are unique."""

    id: str
    source: str
    type: str
    time: datetime
    sequence: str
    data: dict[str, Any]
    subject: str | None = None

    @property
    def number(self) -> int:
        """The sequence as a number, to resume after."""
        return int(self.sequence)


class EventPage(msgspec.Struct, frozen=True):
    """Events in order; `complete` False: some after the number asked for are gone."""

    events: list[Event]
    next_after: int
    complete: bool = True


class Alert(msgspec.Struct, frozen=True):
    """An alert; `task`, `link` and `source` say what it is about, where that applies."""

    alert_id: str
    rule: str
    room: str | None
    severity: Severity
    state: str
    raised_at: datetime
    updated_at: datetime
    cleared_at: datetime | None = None
    snoozed_until: datetime | None = None
    kind: str = ""
    acknowledged: dict[str, Any] | None = None
    dismissed: dict[str, Any] | None = None
    task: str | None = None
    link: str | None = None
    source: str | None = None
    reached: dict[str, datetime] = {}


class Snapshot(msgspec.Struct, frozen=True):
    """How things stand at `sequence`: where a stream begins, and after events were missed for good."""

    sequence: str
    rooms: list[RoomState]
    alerts: list[Alert]
    reason: str = ""

    @property
    def number(self) -> int:
        """The sequence as a number, to resume after."""
        return int(self.sequence)
