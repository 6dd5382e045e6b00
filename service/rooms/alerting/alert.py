"""An alert, what may happen to it, and the facts that make it happen."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from models.prediction import JsonValue
from service.events import EventType, Severity

Data = Mapping[str, JsonValue]


class AlertState(StrEnum):
    """Where an alert stands. People acknowledge, snooze and dismiss; facts raise and clear."""

    RAISED = "raised"
    ACKNOWLEDGED = "acknowledged"
    SNOOZED = "snoozed"
    DISMISSED = "dismissed"
    CLEARED = "cleared"

    @property
    def is_open(self) -> bool:
        """Whether people may still have to do something about it."""
        return self not in {AlertState.DISMISSED, AlertState.CLEARED}


class Cause(StrEnum):
    """Why an alert changed."""

    CONDITION = "condition"
    """What the rule asks for holds now, or no longer."""
    RESUMED = "resumed"
    """The state was unknown for a while, and the condition still holds."""
    VALUE = "value"
    ESCALATED = "escalated"
    ACKNOWLEDGED = "acknowledged"
    SNOOZED = "snoozed"
    SNOOZE_OVER = "snooze_over"
    DISMISSED = "dismissed"
    SCHEDULE_OVER = "schedule_over"
    RULE_CHANGED = "rule_changed"
    ROOM_DELETED = "room_deleted"
    ROOM_ERASED = "room_erased"


class Key(NamedTuple):
    """At most one alert is open for each. `subject` is a task or a link."""

    rule: str
    room: str
    subject: str


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert.

    Attributes:
        kind: of its rule.
        reached: when it became how severe, host time.
        from_ns: capture time from when its condition held; None where it is not about frames.
        to_ns: capture time until when it was last seen to hold.
        snoozed_until_ns: host time; None unless it is snoozed.
    """

    alert_id: str
    key: Key
    kind: str
    severity: Severity
    raised_ns: int
    state: AlertState = AlertState.RAISED
    reached: Mapping[Severity, int] = field(default_factory=dict)
    from_ns: int | None = None
    to_ns: int | None = None
    snoozed_until_ns: int | None = None

    @property
    def room(self) -> str:
        """The room it is about."""
        return self.key.room


@dataclass(frozen=True, slots=True)
class AlertChange:
    """What happened to an alert.

    Attributes:
        kind: the event that tells of it; None: nobody is told (the end of what was dismissed).
        alert: as it is now; `before`: as it was, None when it was just raised.
        data: what it is about, for the event.
    """

    kind: EventType | None
    alert: Alert
    before: Alert | None
    cause: Cause
    data: Data = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Fact:
    """What is known now about one subject of a room.

    Attributes:
        about: a task, or what else rules are about (`rules.LINK`, `rules.DRIFT`).
        value: None: unknown, which neither raises nor clears.
        at_ns: capture time of what a room shows; host time of what is known of links and drift.
        now_ns: host time.
        from_ns: begin of the window behind it, capture time.
        resumed: whether it was unknown just before.
        data: for the event.
    """

    room: str
    about: str
    subject: str
    value: JsonValue
    at_ns: int
    now_ns: int
    from_ns: int | None = None
    resumed: bool = False
    data: Data = field(default_factory=dict)
