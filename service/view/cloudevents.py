"""The numbered log as CloudEvents 1.0, on the stream and in GET /v1/events alike."""

from typing import Any

from service.events import Severity
from service.state import rfc3339
from service.store.eventlog import StoredEvent

_SEQUENCE_DIGITS = 20  # every 64-bit number fits, so that text order is number order


def sequence_text(sequence: int) -> str:
    """The number as CloudEvents' `sequence` extension wants it: text that sorts."""
    return str(sequence).zfill(_SEQUENCE_DIGITS)


def cloud_event(event: StoredEvent, site: str) -> dict[str, Any]:
    """The event as a CloudEvents 1.0 document; `source` and `id` together are unique in the world."""
    data = dict(event.data)
    if event.severity is not None:
        data.setdefault("severity", event.severity)
    document: dict[str, Any] = {
        "specversion": "1.0",
        "id": str(event.sequence),
        "source": f"urn:roomtone:site:{site}",
        "type": event.type,
        "time": rfc3339(event.time_ns),
        "sequence": sequence_text(event.sequence),
        "datacontenttype": "application/json",
        "data": data,
    }
    if event.room is not None:
        document["subject"] = event.room
    return document


def severity_rank(severity: str | None) -> int:
    """Rank to compare with `min_severity`; without one, as a change of state, it counts as info."""
    return 0 if severity is None else Severity(severity).rank
