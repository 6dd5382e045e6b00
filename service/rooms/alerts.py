"""Rules: which states and links a person must see as an alert.

A rule looks at a fact and answers raise, clear, or nothing; the book remembers which alerts are open. Unknown
is no fact: it neither raises nor clears. A further rule is one more entry in `STATE_RULES`.
"""

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from models.prediction import JsonValue
from service.events import EventType, Severity


@dataclass(frozen=True, slots=True)
class StateRule:
    """An alert about the state of one task; `holds` judges a known value."""

    rule: str
    task: str
    severity: Severity
    holds: Callable[[JsonValue], bool]


STATE_RULES: Final = (
    StateRule("room_occupied", "presence", Severity.INFO, lambda value: value == "occupied"),
)
LINK_LOST: Final = "link_lost"
RECALIBRATION_SUGGESTED: Final = "recalibration_suggested"


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert that is open. `subject` tells alerts of one rule in one room apart: a task or a link."""

    alert_id: str
    rule: str
    room: str
    subject: str
    severity: Severity
    raised_ns: int


@dataclass(frozen=True, slots=True)
class AlertChange:
    """What happened to an alert; `kind` is one of the three alert events."""

    kind: EventType
    alert: Alert


class AlertBook:
    """The open alerts, one at most for each rule, room and subject."""

    def __init__(self, still_open: Iterable[Alert] = ()) -> None:
        self._open = {(alert.rule, alert.room, alert.subject): alert for alert in still_open}

    def find(self, rule: str, room: str, subject: str) -> Alert | None:
        """The open alert of that rule, room and subject."""
        return self._open.get((rule, room, subject))

    def of_rule(self, rule: str) -> list[Alert]:
        """All open alerts of a rule."""
        return [alert for alert in self._open.values() if alert.rule == rule]

    def judge_state(
        self, room: str, task: str, value: JsonValue, *, resumed: bool, now_ns: int
    ) -> list[AlertChange]:
        """What a state's value does to alerts; `resumed`: the state was unknown just before."""
        changes = []
        for rule in STATE_RULES:
            if rule.task != task or value is None:
                continue
            if change := self._judge(
                rule.rule, room, task, rule.severity, rule.holds(value), resumed=resumed, now_ns=now_ns
            ):
                changes.append(change)
        return changes

    def judge_link(self, room: str, link: str, *, lost: bool, now_ns: int) -> list[AlertChange]:
        """What the loss or return of a link does to alerts."""
        change = self._judge(LINK_LOST, room, link, Severity.WARNING, lost, resumed=False, now_ns=now_ns)
        return [change] if change else []

    def judge_drift(self, room: str, task: str, *, suggested: bool, now_ns: int) -> list[AlertChange]:
        """What a room's drift from its calibration does to alerts."""
        change = self._judge(
            RECALIBRATION_SUGGESTED, room, task, Severity.INFO, suggested, resumed=False, now_ns=now_ns
        )
        return [change] if change else []

    def forget_room(self, room: str) -> None:
        """Drop the alerts of a room that is no more."""
        self._open = {key: alert for key, alert in self._open.items() if alert.room != room}

    def _judge(
        self,
        rule: str,
        room: str,
        subject: str,
        severity: Severity,
        holds: bool,
        *,
        resumed: bool,
        now_ns: int,
    ) -> AlertChange | None:
        key = (rule, room, subject)
        alert = self._open.get(key)
        if holds and alert is None:
            alert = Alert(secrets.token_hex(8), rule, room, subject, severity, now_ns)
            self._open[key] = alert
            return AlertChange(EventType.ALERT_RAISED, alert)
        if holds and alert is not None and resumed:
            return AlertChange(EventType.ALERT_UPDATED, alert)
        if not holds and alert is not None:
            del self._open[key]
            return AlertChange(EventType.ALERT_CLEARED, alert)
        return None
