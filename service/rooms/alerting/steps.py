"""The steps of one case: its alert is raised, updated, made more severe, and over."""

import secrets
from dataclasses import replace

from service.events import EventType, Severity
from service.rooms.alerting.alert import Alert, AlertChange, AlertState, Cause, Data
from service.rooms.alerting.case import Case
from service.rooms.alerting.cooldowns import Cooldowns
from service.rooms.alerting.rules import AlertRule

HEARD = frozenset({AlertState.RAISED, AlertState.ACKNOWLEDGED})
"""States in which people are told what is new."""


def raised(rule: AlertRule, case: Case, cooldowns: Cooldowns, now_ns: int) -> AlertChange | None:
    """Raise the alert if the condition has held for long enough and no other was raised just now.

    What is more severe than the rule itself, by its value, waits for no cooldown.
    """
    if not case.known or case.waited_s() < rule.hold_s:
        return None
    severity, room = rule.severity_of(case.value, 0.0), case.key.room
    plain = severity is Severity(rule.severity)
    if plain and cooldowns.holds_back(room, rule.kind, severity, rule.cooldown_s, now_ns):
        return None
    case.alert = Alert(
        alert_id=secrets.token_hex(8),
        key=case.key,
        kind=rule.kind,
        severity=severity,
        raised_ns=now_ns,
        reached={severity: now_ns},
        from_ns=case.from_ns,
    )
    cooldowns.note(case.alert)
    return AlertChange(EventType.ALERT_RAISED, case.alert, None, Cause.CONDITION, case.told())


def updated(case: Case, alert: Alert, cause: Cause) -> AlertChange:
    """The alert is like this now."""
    before, case.alert = case.alert, alert
    return AlertChange(EventType.ALERT_UPDATED, alert, before, cause, case.told())


def escalated(rule: AlertRule, case: Case, cooldowns: Cooldowns, now_ns: int) -> AlertChange | None:
    """Make the alert more severe, by its value or because nobody answered.

    Acknowledging stops the second, not the first: who acknowledged less is asked again.
    """
    alert = case.alert
    if alert is None or alert.state not in HEARD:
        return None
    unanswered = alert.state is AlertState.RAISED
    severity = rule.severity_of(case.value, (now_ns - alert.raised_ns) / 1e9 if unanswered else 0.0)
    if severity.rank <= alert.severity.rank:
        return None
    reached = {**alert.reached, severity: now_ns}
    worse = replace(alert, severity=severity, state=AlertState.RAISED, reached=reached)
    cooldowns.note(worse)
    return updated(case, worse, Cause.ESCALATED)


def woken(case: Case, now_ns: int) -> AlertChange | None:
    """The alert is back once its snooze is over."""
    alert = case.alert
    if alert is None or alert.state is not AlertState.SNOOZED or now_ns < (alert.snoozed_until_ns or 0):
        return None
    return updated(case, replace(alert, state=AlertState.RAISED, snoozed_until_ns=None), Cause.SNOOZE_OVER)


def ended(case: Case, cause: Cause, data: Data) -> AlertChange | None:
    """The condition holds no more; of the end of what was dismissed nobody is told."""
    if case.alert is None:
        return None
    alert = replace(case.alert, to_ns=None if case.from_ns is None else case.at_ns, snoozed_until_ns=None)
    if alert.state is AlertState.DISMISSED:
        return AlertChange(None, alert, case.alert, cause)
    over = replace(alert, state=AlertState.CLEARED)
    return AlertChange(EventType.ALERT_CLEARED, over, case.alert, cause, data or case.data)
