"""Queries that run often, put together once: that takes longer than to run them."""

from typing import Any

import sqlalchemy as sa


class ByRoom:
    """A query of all rooms, or of one.

    Args:
        query: of all rooms.
        room: its column that names the room.
    """

    def __init__(self, query: sa.Select[Any], room: sa.ColumnElement[str]) -> None:
        self._all, self._one = query, query.where(room == sa.bindparam("only"))

    def run(self, connection: sa.Connection, only: str | None) -> sa.CursorResult[Any]:
        """Rows of the room named `only`; None: of all."""
        if only is None:
            return connection.execute(self._all)
        return connection.execute(self._one, {"only": only})
