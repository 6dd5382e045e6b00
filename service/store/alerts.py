"""Reading alerts, newest first."""

from collections.abc import Collection
from typing import Any

import sqlalchemy as sa

from service.state import rfc3339
from service.store.engine import Store
from service.store.schema import alerts


def alert_page(
    store: Store,
    *,
    state: str | None,
    severities: Collection[str] | None,
    rooms: Collection[str] | None,
    from_ns: int | None,
    limit: int,
    after: tuple[int, str] | None = None,
) -> tuple[list[dict[str, Any]], tuple[int, str] | None]:
    """Alerts raised since `from_ns`, and the last one's (raised_ns, alert_id) if more follow."""
    query = sa.select(alerts).order_by(alerts.c.raised_ns.desc(), alerts.c.alert_id.desc()).limit(limit + 1)
    if state is not None:
        query = query.where(alerts.c.state == state)
    if severities is not None:
        query = query.where(alerts.c.severity.in_(severities))
    if rooms is not None:
        query = query.where(alerts.c.room.in_(rooms))
    if from_ns is not None:
        query = query.where(alerts.c.raised_ns >= from_ns)
    if after is not None:
        query = query.where(sa.tuple_(alerts.c.raised_ns, alerts.c.alert_id) < after)
    with store.read() as connection:
        rows = list(connection.execute(query).mappings())
    page = rows[:limit]
    last = (page[-1]["raised_ns"], page[-1]["alert_id"]) if len(rows) > limit else None
    return [alert_item(row) for row in page], last


def open_alerts(connection: sa.Connection, *, only: str | None = None) -> list[dict[str, Any]]:
    """Every alert that is raised and not cleared, of all rooms or the one named `only`."""
    query = sa.select(alerts).where(alerts.c.state == "raised").order_by(alerts.c.raised_ns)
    if only is not None:
        query = query.where(alerts.c.room == only)
    return [alert_item(row) for row in connection.execute(query).mappings()]


def alert_item(row: sa.RowMapping) -> dict[str, Any]:
    """An alert as the API shows it."""
    cleared = row["cleared_ns"]
    return {
        **row["doc"],
        "alert_id": row["alert_id"],
        "rule": row["rule"],
        "room": row["room"],
        "severity": row["severity"],
        "state": row["state"],
        "raised_at": rfc3339(row["raised_ns"]),
        "updated_at": rfc3339(row["updated_ns"]),
        "cleared_at": None if cleared is None else rfc3339(cleared),
    }
