"""Versions of a room's own head: which one is active, and those that served before it to go back to.

Of a room and task at most one version is active and at most one in its shadow run. Without an active one the
room is served by the backbone's shipped head, or by nothing. Activation is one transaction; the worker reads
it between two windows.
"""

import hashlib
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import sqlalchemy as sa

from models.adapt.head import RoomHead
from models.adapt.head_file import pack_head
from models.prediction import JsonValue
from service.events import EventType
from service.store.activations import Activation, put_on_top, stack_of, take_off
from service.store.audit import record
from service.store.engine import Store
from service.store.log import append_event
from service.store.schema import versions

SHADOW, ACTIVE, RETIRED, REFUSED = "shadow", "active", "retired", "refused"
Backbone = tuple[str, str]
"""Name and digest of the model that a head stands on."""


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

    @property
    def backbone(self) -> Backbone:
        """The model without which it cannot serve."""
        return self.model, self.model_digest


class RolledBack(NamedTuple):
    """Which version was left, which serves now, and which served between but cannot now."""

    left: int
    active: int | None
    skipped: tuple[int, ...]


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
    """Make this version the active one, and say so; as it was before, None if it is no more.

    What was active is retired. Of one that is active already nothing changes, and nothing is said.
    """
    found = _select(connection, versions.c.version == version)
    if found is not None and found.state != ACTIVE:
        put_on_top(connection, found.room, found.task, version, time.time_ns())
        _serve(connection, (found.room, found.task), version, actor, why)
    return found


def roll_back(
    connection: sa.Connection,
    room: str,
    task: str,
    *,
    actor: str,
    there: Collection[Backbone] | None = None,
) -> RolledBack | None:
    """Undo the last activation: go back to what served before it, or to none; None if none is active.

    Versions that are gone are passed over, and so are those whose model is not among what is `there`, if
    that is known; the latter are next to be gone back to, should it be there again.
    """
    left = _active(connection, room, task)
    if left is None:
        return None
    below, passed = _below(connection, room, task, there)
    take_off(connection, room, task, below, passed)
    active = None if below is None else below.version
    _serve(connection, (room, task), active, actor, "rollback")
    return RolledBack(left, active, tuple(dict.fromkeys(one.version for one in passed)))


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
    """A candidate did not pass; it is kept. A version that is in no shadow run any more stays as it is."""
    candidate = (versions.c.version == version) & (versions.c.state == SHADOW)
    connection.execute(sa.update(versions).where(candidate).values(state=REFUSED))


def _facts() -> list[Any]:
    return [versions.c[name] for name in Version.__slots__]


def _select(connection: sa.Connection, where: Any) -> Version | None:  # noqa: ANN401 - a SQL expression
    row = connection.execute(sa.select(*_facts()).where(where)).mappings().first()
    return None if row is None else Version(**row)


def _retire(connection: sa.Connection, room: str, task: str, state: str) -> None:
    where = (versions.c.room == room) & (versions.c.task == task) & (versions.c.state == state)
    connection.execute(sa.update(versions).where(where).values(state=RETIRED))


def _below(
    connection: sa.Connection, room: str, task: str, there: Collection[Backbone] | None
) -> tuple[Activation | None, list[Activation]]:
    """The newest activation that can be gone back to, and those above it whose model is missing."""
    where = (versions.c.room == room) & (versions.c.task == task) & (versions.c.state == RETIRED)
    rows = connection.execute(sa.select(*_facts()).where(where)).mappings()
    retired = {row["version"]: Version(**row) for row in rows}
    passed = list[Activation]()
    for one in stack_of(connection, room, task):
        if one.version not in retired:  # erased since, or it serves now
            continue
        if there is None or retired[one.version].backbone in there:
            return one, passed
        passed.append(one)
    return None, passed


def _serve(
    connection: sa.Connection, place: tuple[str, str], version: int | None, actor: str, why: str
) -> None:
    """Let this version serve instead of what is active, and say so; None: what the room had before any."""
    before = _active(connection, *place)
    _retire(connection, *place, ACTIVE)
    now = {"state": ACTIVE, "activated_ns": time.time_ns()}
    connection.execute(sa.update(versions).where(versions.c.version == version).values(now))
    _tell(connection, place, (before, version), actor, why)


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
