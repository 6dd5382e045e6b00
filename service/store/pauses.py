"""Privacy pauses of rooms: what was said about them, and the refusal of what would store something."""

import logging
import time
from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from pydantic import ValidationError

from service.errors import ServiceError
from service.rooms.pause import Pause
from service.rooms.schedule import Schedule
from service.store.engine import Store
from service.store.schema import pauses

_log = logging.getLogger(__name__)


class PausedError(ServiceError):
    """The room is paused: nothing of it is computed or stored."""


def read_pauses(store: Store) -> dict[str, Pause]:
    """Every room about whose pauses something was said."""
    with store.read() as connection:
        return {row["room"]: _pause(row) for row in connection.execute(sa.select(pauses)).mappings()}


def pauses_stand(store: Store) -> dict[str, int]:
    """When something was last said about each room: while it stays, so does `read_pauses`.

    Of every room, since the newest time of all need not change: a clock may be put back.
    """
    with store.read() as connection:
        rows = connection.execute(sa.select(pauses.c.room, pauses.c.updated_ns))
        return {row.room: row.updated_ns for row in rows}


def pause_of(store: Store, room: str) -> Pause:
    """What was said about pausing this room."""
    with store.read() as connection:
        return select_pause(connection, room)


def select_pause(connection: sa.Connection, room: str) -> Pause:
    """As `pause_of`, in the caller's transaction."""
    row = connection.execute(sa.select(pauses).where(pauses.c.room == room)).mappings().first()
    return Pause() if row is None else _pause(row)


def check_not_paused(connection: sa.Connection, room: str) -> None:
    """See that the room may be worked on, in the transaction that begins the work.

    Raises:
        PausedError: it is paused.
    """
    if select_pause(connection, room).at(time.time_ns()) is not None:
        raise PausedError(f"room {room} is paused: nothing of it is computed or stored until it is resumed")


def _pause(row: Mapping[str, Any] | sa.RowMapping) -> Pause:
    """The stored pause; one that cannot be read any more holds, since nobody knows when it does not."""
    try:
        schedule = row["schedule"] and Schedule.model_validate(row["schedule"])
    except ValidationError as error:  # its time zone, say, is gone from the system
        _log.error("room %s stays paused, its schedule cannot be read: %s", row["room"], error)
        return Pause(row["updated_ns"])
    return Pause(row["from_ns"], row["until_ns"], schedule, row["resumed_ns"] or 0)
