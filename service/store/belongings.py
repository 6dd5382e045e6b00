"""What the store holds of a room: the tables, and what becomes of each when the room's history is erased.

Every table that names rooms stands here, and a test finds one that does not; `docs/privacy.md` tells of
each column.
"""

from collections.abc import Mapping
from typing import Final

import sqlalchemy as sa

from service.store import schema as s

HISTORY: Final[Mapping[sa.Table, tuple[str, str]]] = {
    s.states: ("updated_ns", "updated_ns"),
    s.predictions: ("from_ns", "to_ns"),
    s.alerts: ("raised_ns", "updated_ns"),
    s.alert_waits: ("since_ns", "since_ns"),
    s.screenings: ("opened_ns", "opened_ns"),
    s.baselines: ("updated_ns", "updated_ns"),
    s.samples: ("from_ns", "to_ns"),
    s.jobs: ("created_ns", "updated_ns"),
    s.versions: ("created_ns", "created_ns"),
    s.activations: ("activated_ns", "activated_ns"),
    s.idempotency: ("created_ns", "created_ns"),
    s.answers: ("created_ns", "created_ns"),
}
"""What was measured and learned, and the columns from when to when a row is about: these rows are erased."""

LOG: Final = s.events
"""Its rows stay with their numbers, so that cursors stay valid; what they say of the room is erased."""

SETUP: Final = (s.rooms, s.pauses)
"""How the room is set up: it stays while the room does."""

LASTING: Final = (s.links, s.keys, s.webhooks, s.bacnet_rooms, s.erasures)
"""What names rooms and lasts beyond them: links become unassigned, numbers are never given twice."""

SECRET: Final = frozenset({(s.keys.name, "hash"), (s.webhooks.name, "secret")})
"""Columns that no export shows."""


def of_room(room: str, table: sa.Table) -> sa.ColumnElement[bool]:
    """The rows of a table that are about the room."""
    return (s.audit.c.target if table is s.audit else table.c.room) == room
