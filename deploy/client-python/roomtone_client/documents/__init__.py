"""What the service tells, as typed values. Fields that this version does not know are passed over.

Times are aware datetimes in UTC. An unknown value is None with a `reason`: never read it as "empty".
"""

from roomtone_client.documents.events import Alert, Event, EventPage, Severity, Snapshot
from roomtone_client.documents.learning import Dismissal, Job, Rollback, RoomVersion, Sample, Verdict
from roomtone_client.documents.rooms import (
    LastKnown,
    ModelInfo,
    Page,
    Prediction,
    Room,
    RoomState,
    SiteState,
    TaskState,
    Window,
    ZoneMember,
    ZoneState,
)
from roomtone_client.documents.site import Key, ModelCard, NewKey, Role

__all__ = [
    "Alert",
    "Dismissal",
    "Event",
    "EventPage",
    "Job",
    "Key",
    "LastKnown",
    "ModelCard",
    "ModelInfo",
    "NewKey",
    "Page",
    "Prediction",
    "Role",
    "Rollback",
    "Room",
    "RoomState",
    "RoomVersion",
    "Sample",
    "Severity",
    "SiteState",
    "Snapshot",
    "TaskState",
    "Verdict",
    "Window",
    "ZoneMember",
    "ZoneState",
]
