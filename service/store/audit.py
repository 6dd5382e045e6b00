"""Who changed what: one row for every change an admin or operator makes."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from models.prediction import JsonValue
from service.state import rfc3339
from service.store.engine import Store
from service.store.schema import audit


def record(
    connection: sa.Connection,
    *,
    actor: str,
    action: str,
    target: str,
    detail: Mapping[str, JsonValue] | None = None,
) -> None:
    """Note a change in the transaction that makes it."""
    connection.execute(
        sa.insert(audit).values(
            time_ns=time.time_ns(), actor=actor, action=action, target=target, detail=dict(detail or {})
        )
    )


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One entry."""

    id: int
    time_ns: int
    actor: str
    action: str
    target: str
    detail: dict[str, Any]


_ENTRY: Final = sa.select(*(audit.c[name] for name in AuditRow.__slots__))


def read_audit(store: Store, *, after: int, limit: int) -> list[AuditRow]:
    """Entries with an id above `after`, oldest first.

    One writes at a time, so ids become visible in order: none at or below the last one comes later. Times are
    of the hosts that wrote, whose clocks may differ.
    """
    return _rows(store, _ENTRY.where(audit.c.id > after).order_by(audit.c.id).limit(limit))


def read_last_audit(store: Store, *, after: int, up_to: int, limit: int) -> list[AuditRow]:
    """The newest `limit` entries with an id above `after` and not above `up_to`, oldest first."""
    newest = _ENTRY.where(audit.c.id > after, audit.c.id <= up_to).order_by(audit.c.id.desc()).limit(limit)
    return _rows(store, newest)[::-1]


def _rows(store: Store, query: sa.Select[Any]) -> list[AuditRow]:
    with store.read() as connection:
        return [AuditRow(**row) for row in connection.execute(query).mappings()]


def audit_head(connection: sa.Connection) -> int:
    """Id of the newest entry; 0 before the first."""
    return int(connection.execute(sa.select(sa.func.max(audit.c.id))).scalar() or 0)


def change(
    before: Mapping[str, JsonValue] | None, after: Mapping[str, JsonValue] | None
) -> dict[str, JsonValue]:
    """What an entry says of a change: members that differ, as they were and as they are (None: not there)."""
    if before is None or after is None:
        return {
            name: None if doc is None else dict(doc) for name, doc in (("before", before), ("after", after))
        }
    names = [
        name
        for name in dict.fromkeys([*before, *after])
        if name not in before or name not in after or before[name] != after[name]
    ]
    return {
        "before": {name: before[name] for name in names if name in before},
        "after": {name: after[name] for name in names if name in after},
    }


def audit_page(
    store: Store, *, limit: int, before: int | None, wanted: Mapping[str, str] | None = None
) -> tuple[list[dict[str, Any]], int | None]:
    """Newest entries first, and the id to go on before (None at the end).

    `wanted` names columns (actor, action, target) and what must stand in them.
    """
    query = sa.select(audit).order_by(audit.c.id.desc()).limit(limit + 1)
    if before is not None:
        query = query.where(audit.c.id < before)
    for column, value in (wanted or {}).items():
        query = query.where(audit.c[column] == value)
    with store.read() as connection:
        rows = list(connection.execute(query).mappings())
    items = [
        {
            "id": row["id"],
            "time": rfc3339(row["time_ns"]),
            "actor": row["actor"],
            "action": row["action"],
            "target": row["target"],
            "detail": row["detail"],
        }
        for row in rows[:limit]
    ]
    return items, items[-1]["id"] if len(rows) > limit else None
