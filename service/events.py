"""Types of events in the one numbered log, and what their `data` holds."""

from enum import StrEnum


class EventType(StrEnum):
    """CloudEvents types (DESIGN A4).

    `data` always has ``source`` where the event rests on frames or is about a demo room:

    prediction.changed: task, before, after (TaskState documents), source
    alert.*:            alert_id, rule, kind, severity, state, cause, task or link, source; before, after:
                        what it is about (TaskState documents, ``lost``, ``suggested``) where facts are the
                        cause, else the alert (state, severity, snoozed_until); actor where a person is
    link.*:             link, room, reason
    link.roamed:        also before, after (MAC addresses of the sender that the link follows)
    model.activated:    room, task, version (null: the shipped model, or none), reason, actor
    recalibration.ended: room, task, job, state (activated, refused, failed), reason, links, actor
    room.erased:        nothing; it stands where an event about the room was that somebody erased
    webhook.disabled:   webhook (its id), host, reason
    worker.lost|back:   since (when the worker was last heard; null: nobody knows), reason. About every room:
                        who listens to some rooms only hears them too
    """

    PREDICTION_CHANGED = "org.roomtone.prediction.changed"
    ALERT_RAISED = "org.roomtone.alert.raised"
    ALERT_UPDATED = "org.roomtone.alert.updated"
    ALERT_CLEARED = "org.roomtone.alert.cleared"
    LINK_LOST = "org.roomtone.link.lost"
    LINK_BACK = "org.roomtone.link.back"
    LINK_ROAMED = "org.roomtone.link.roamed"
    ROOM_CHANGED = "org.roomtone.room.changed"
    ROOM_DELETED = "org.roomtone.room.deleted"
    ROOM_ERASED = "org.roomtone.room.erased"
    MODEL_ACTIVATED = "org.roomtone.model.activated"
    RECALIBRATION_ENDED = "org.roomtone.recalibration.ended"
    WEBHOOK_DISABLED = "org.roomtone.webhook.disabled"
    WORKER_LOST = "org.roomtone.worker.lost"
    WORKER_BACK = "org.roomtone.worker.back"


ABOUT_ALL_ROOMS = frozenset({EventType.WORKER_LOST, EventType.WORKER_BACK})
"""Without a room of their own, and told to whoever listens to any."""


class Severity(StrEnum):
    """How much a person must care, in rising order."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for info, rising."""
        return list(Severity).index(self)
