"""Events and audit entries in the words of a message."""

from typing import Any, Final

import msgspec

from service.events import Severity
from service.outlets.syslog.message import Entry
from service.store.audit import AuditRow
from service.store.eventlog import StoredEvent

_PREFIX: Final = "org.roomtone."
_FACTS: Final = ("alert_id", "rule", "task", "link", "source", "reason", "actor", "webhook")
"""Members of an event's data that become fields, where they are there."""


def of_event(event: StoredEvent, site: str) -> Entry:
    """The event; its `id` is the same however often it is sent, and the same on every outlet."""
    kind = event.type.removeprefix(_PREFIX)
    severity = Severity(event.severity) if event.severity else Severity.INFO
    facts = {name: str(event.data[name]) for name in _FACTS if event.data.get(name) is not None}
    fields = {"id": f"{site}-{event.sequence}", "sequence": str(event.sequence), "severity": severity.value}
    if event.room is not None:
        fields["room"] = event.room
    return Entry(event.time_ns, severity, kind, fields | facts, _sentence(kind, event))


def of_audit(row: AuditRow, site: str) -> Entry:
    """Who changed what."""
    fields = {"id": f"{site}-audit-{row.id}", "actor": row.actor, "target": row.target}
    text = f"{row.actor} did {row.action} to {row.target}: {_json(row.detail)}"
    return Entry(row.time_ns, Severity.INFO, f"audit.{row.action}", fields, text)


def _sentence(kind: str, event: StoredEvent) -> str:
    data = event.data
    words = [kind]
    words += [f"in room {event.room}"] if event.room is not None else []
    words += [f"by rule {data['rule']}"] if data.get("rule") else []
    words += [f"of link {data['link']}"] if data.get("link") else []
    value = _value(data.get("after"))
    return " ".join(words) + (f": {data.get('task') or 'value'} is {value}" if value else "")


def _value(after: Any) -> str:  # noqa: ANN401 - a state, or what an older Roomtone wrote
    """The value of the state that an event tells of, if it has one."""
    value = after.get("value") if isinstance(after, dict) else None
    return "" if value is None else value if isinstance(value, str) else _json(value)


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
