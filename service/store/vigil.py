"""What the log says of the worker: lost or back, written down once, however many processes watch it."""

import sqlalchemy as sa

from models.prediction import JsonValue
from service.events import EventType, Severity
from service.state import rfc3339
from service.store.engine import Store
from service.store.log import append_event
from service.store.schema import site

LOST = "worker.lost"
"""Key of the site that is there as long as the log's last word is that the worker is lost."""
_NOTED = sa.select(site.c.value).where(site.c.key == LOST)


def is_noted(store: Store) -> bool:
    """Whether the log's last word is that the worker is lost."""
    with store.read() as connection:
        return connection.execute(_NOTED).first() is not None


def note_lost(store: Store, *, last_ns: int | None, now_ns: int) -> bool:
    """Append that the worker is lost, unless the log says so already; whether it did.

    Args:
        store: the site's.
        last_ns: Unix time at which it was last heard; None: this process never heard it.
        now_ns: Unix time of the event.
    """
    with store.write() as connection:
        if connection.execute(_NOTED).first() is not None:
            return False
        since = None if last_ns is None else rfc3339(last_ns)
        connection.execute(sa.insert(site).values(key=LOST, value={"since": since}))
        _append(connection, EventType.WORKER_LOST, {"since": since, "reason": "worker_down"}, now_ns)
    return True


def note_back(store: Store, *, now_ns: int) -> bool:
    """Append that the worker is back, where the log says that it is lost; whether it did."""
    with store.write() as connection:
        noted = connection.execute(_NOTED).scalar()
        if noted is None:
            return False
        connection.execute(sa.delete(site).where(site.c.key == LOST))
        _append(connection, EventType.WORKER_BACK, {"since": noted["since"], "reason": "heard"}, now_ns)
    return True


def _append(connection: sa.Connection, kind: EventType, data: dict[str, JsonValue], now_ns: int) -> None:
    append_event(connection, kind, room=None, data=data, time_ns=now_ns, severity=Severity.WARNING)
