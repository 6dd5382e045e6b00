"""Versions of a room's own head: which one is active, and the one before it to go back to.

Of a room and task at most one version is active and at most one in its shadow run. Without an active one the
room is served by the backbone's shipped head, or by nothing. Activation is one transaction; the worker reads
it between two windows.
"""

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from models.adapt.head import RoomHead
from models.adapt.head_file import pack_head
from models.prediction import JsonValue
from service.events import EventType
from service.store.audit import record
from service.store.engine import Store
from service.store.log import append_event
from service.store.schema import versions

SHADOW, ACTIVE, RETIRED, REFUSED = "shadow", "active", "retired", "refused"


@dataclass(frozen=True, slots=True)
class Version:
    """A version, less its head."""

    version: int
    room: str
    task: str
    state: str
    provisional: bool
    model: str
    model_digest: str
    method: str
    digest: str
    doc: dict[str, Any]
    shadow: dict[str, Any]
    job: str | None
    created_ns: int
    activated_ns: int | None


def add_version(
    connection: sa.Connection,
    *,
    room: str,
    task: str,
    head: RoomHead,
    model: tuple[str, str],
    method: str,
    provisional: bool,
    doc: Mapping[str, Any],
    job: str | None,
) -> int:
    """Keep a new version in its shadow run; its number. One that was in the shadow is retired."""
    data = pack_head(head)
    _retire(connection, room, task, SHADOW)
    row = {
        "room": room,
        "task": task,
        "state": SHADOW,
        "provisional": provisional,
        "model": model[0],
        "model_digest": model[1],
        "method": method,
        "digest": hashlib.sha256(data).hexdigest(),
        "head": data,
        "doc": dict(doc),
        "shadow": {},
        "job": job,
        "created_ns": time.time_ns(),
    }
    statement = sa.insert(versions).values(row).returning(versions.c.version)
    return int(connection.execute(statement).scalar_one())


def activate(connection: sa.Connection, version: int, *, actor: str, why: str) -> Version | None:
    """Make this version the active one, and say so; None if it is no more. What was active is retired."""
    found = _select(connection, versions.c.version == version)
    if found is None:
        return None
    now = time.time_ns()
    before = _active(connection, found.room, found.task)
    _retire(connection, found.room, found.task, ACTIVE)
    connection.execute(
        sa.update(versions).where(versions.c.version == version).values(state=ACTIVE, activated_ns=now)
    )
    _tell(connection, (found.room, found.task), (before, version), actor, why)
    return found


def deactivate(connection: sa.Connection, room: str, task: str, *, actor: str, why: str) -> None:
    """Go back to what the room had before any version."""
    before = _active(connection, room, task)
    _retire(connection, room, task, ACTIVE)
    _tell(connection, (room, task), (before, None), actor, why)


def roll_back(
    connection: sa.Connection, room: str, task: str, *, actor: str
) -> tuple[int, int | None] | None:
    """Go back to the version that served before the active one, or to none; None if none is active.

    Returns:
        The version that was left, and the one that serves now.
    """
    active = _active(connection, room, task)
    if active is None:
        return None
    mine = (versions.c.room == room) & (versions.c.task == task)
    served = mine & (versions.c.version < active) & versions.c.activated_ns.is_not(None)
    older = connection.execute(sa.select(sa.func.max(versions.c.version)).where(served)).scalar()
    if older is None:
        deactivate(connection, room, task, actor=actor, why="rollback")
    else:
        activate(connection, older, actor=actor, why="rollback")
    return active, older


def list_versions(store: Store, room: str, task: str | None = None) -> list[Version]:
    """Versions of a room, newest first."""
    where = versions.c.room == room
    if task is not None:
        where &= versions.c.task == task
    query = sa.select(*_facts()).where(where).order_by(versions.c.version.desc())
    with store.read() as connection:
        return [Version(**row) for row in connection.execute(query).mappings()]


def get_version(store: Store, version: int) -> Version | None:
    """The version of that number."""
    with store.read() as connection:
        return _select(connection, versions.c.version == version)


def note_shadow(connection: sa.Connection, version: int, seen: Mapping[str, Any]) -> None:
    """What was seen of the shadow run so far."""
    connection.execute(
        sa.update(versions)
        .where((versions.c.version == version) & (versions.c.state == SHADOW))
        .values(shadow=dict(seen))
    )


def refuse(connection: sa.Connection, version: int) -> None:
    """The version did not pass; it is kept, and never served."""
    connection.execute(sa.update(versions).where(versions.c.version == version).values(state=REFUSED))


def _facts() -> list[Any]:
    return [versions.c[name] for name in Version.__slots__]


def _select(connection: sa.Connection, where: Any) -> Version | None:  # noqa: ANN401 - a SQL expression
    row = connection.execute(sa.select(*_facts()).where(where)).mappings().first()
    return None if row is None else Version(**row)


def _retire(connection: sa.Connection, room: str, task: str, state: str) -> None:
    where = (versions.c.room == room) & (versions.c.task == task) & (versions.c.state == state)
    connection.execute(sa.update(versions).where(where).values(state=RETIRED))


def _active(connection: sa.Connection, room: str, task: str) -> int | None:
    """The version that serves."""
    mine = (versions.c.room == room) & (versions.c.task == task) & (versions.c.state == ACTIVE)
    return connection.execute(sa.select(versions.c.version).where(mine)).scalar()


def _tell(
    connection: sa.Connection,
    place: tuple[str, str],
    change: tuple[int | None, int | None],
    actor: str,
    why: str,
) -> None:
    """Say which version served before, and which serves now."""
    (room, task), (before, version) = place, change
    data = {"room": room, "task": task, "version": version, "reason": why, "actor": actor}
    append_event(connection, EventType.MODEL_ACTIVATED, room=room, data=data, time_ns=time.time_ns())
    detail: dict[str, JsonValue] = {
        "task": task,
        "reason": why,
        "before": {"version": before},
        "after": {"version": version},
    }
    record(connection, actor=actor, action="model.activated", target=room, detail=detail)
