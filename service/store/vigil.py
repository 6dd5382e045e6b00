"""What the log says of the worker: lost or back, written down once, however many processes watch it."""

import sqlalchemy as sa

from models.prediction import JsonValue
from service.events import EventType, Severity
from service.state import rfc3339
from service.store.engine import Store
from service.store.log import append_event
from service.store.schema import site

LOST = "worker.lost"
"""Key of the site that holds since when, as long as the log's last word is that the worker is lost."""


def note_worker(store: Store, *, up: bool, last_ns: int, now_ns: int) -> bool:
    """Append that the worker is lost or back, unless the log says so already; whether it did.

    Args:
        store: the site's.
        up: whether the worker is heard.
        last_ns: Unix time at which it was last heard.
        now_ns: Unix time of the event.
    """
    with store.write() as connection:
        since = connection.execute(sa.select(site.c.value).where(site.c.key == LOST)).scalar()
        if up == (since is None):
            return False
        if up:
            connection.execute(sa.delete(site).where(site.c.key == LOST))
            kind, data = EventType.WORKER_BACK, {"since": since, "reason": "heard"}
        else:
            connection.execute(sa.insert(site).values(key=LOST, value=rfc3339(last_ns)))
            kind, data = EventType.WORKER_LOST, {"since": rfc3339(last_ns), "reason": "worker_down"}
        facts: dict[str, JsonValue] = dict(data)
        append_event(connection, kind, room=None, data=facts, time_ns=now_ns, severity=Severity.WARNING)
    return True
