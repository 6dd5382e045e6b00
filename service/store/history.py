"""Reading predictions, newest first."""

from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from models.task_names import names
from service.state import rfc3339
from service.store.engine import Store
from service.store.schema import predictions


@dataclass(frozen=True, slots=True)
class Position:
    """Where a page ended: windows before `to_ns`, and at `to_ns` tasks after `task`, are still to come."""

    to_ns: int
    task: str


def prediction_page(
    store: Store,
    room: str,
    *,
    tasks: tuple[str, ...] | None = None,
    from_ns: int | None = None,
    to_ns: int | None = None,
    limit: int,
    after: Position | None = None,
) -> tuple[list[dict[str, Any]], Position | None]:
    """Predictions of windows ending in [from_ns, to_ns), newest first, and where to go on (None at the end).

    One query a task (all, unless some are named): each walks the index of unique windows, however long
    the history is.
    """
    found: list[sa.RowMapping] = []
    with store.read() as connection:
        for task in names() if tasks is None else tasks:
            query = _query(room, task, from_ns, to_ns, after).limit(limit + 1)
            found.extend(connection.execute(query).mappings())
    found.sort(key=lambda row: (-row["to_ns"], row["task"]))
    page, more = found[:limit], len(found) > limit
    last = Position(page[-1]["to_ns"], page[-1]["task"]) if more else None
    return [_item(row) for row in page], last


def _query(
    room: str, task: str, from_ns: int | None, to_ns: int | None, after: Position | None
) -> sa.Select[Any]:
    table = predictions.c
    query = sa.select(predictions).where(table.room == room, table.task == task)
    if from_ns is not None:
        query = query.where(table.to_ns >= from_ns)
    if to_ns is not None:
        query = query.where(table.to_ns < to_ns)
    if after is not None:
        still = table.to_ns <= after.to_ns if task > after.task else table.to_ns < after.to_ns
        query = query.where(still)
    return query.order_by(table.to_ns.desc())


def _item(row: sa.RowMapping) -> dict[str, Any]:
    return {
        **row["doc"],
        "room": row["room"],
        "task": row["task"],
        "window": {"from": rfc3339(row["from_ns"]), "to": rfc3339(row["to_ns"])},
        "observed_at": rfc3339(row["observed_ns"]),
    }
