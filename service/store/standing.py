"""A room as it stood when somebody began to make something for it: that is kept only if it still does.

Reading a capture takes seconds. A room may be deleted or erased meanwhile, and nothing that was measured in
it before comes back after that.
"""

from dataclasses import dataclass

import sqlalchemy as sa

from service.errors import ServiceError
from service.store.engine import Store
from service.store.schema import erasures, rooms


class RoomGoneError(ServiceError):
    """The room was deleted meanwhile; one of the same name may have been made since."""


class RoomErasedError(ServiceError):
    """The history of the room was erased meanwhile."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Which room of that name it is, by when it was made, and when its history was last erased."""

    room: str
    created_ns: int
    erased_ns: int | None


def standing_of(store: Store, room: str) -> Standing | None:
    """How the room stands now; None if there is none."""
    with store.read() as connection:
        return _select(connection, room)


def check_standing(connection: sa.Connection, before: Standing) -> None:
    """See that the room stands as it did, in the transaction that keeps what was made for it.

    Raises:
        RoomGoneError: it was deleted.
        RoomErasedError: its history was erased.
    """
    now = _select(connection, before.room)
    if now is None or now.created_ns != before.created_ns:
        raise RoomGoneError(f"room {before.room} was deleted meanwhile; nothing was kept")
    if now.erased_ns != before.erased_ns:
        raise RoomErasedError(f"the history of room {before.room} was erased meanwhile; nothing was kept")


def _select(connection: sa.Connection, room: str) -> Standing | None:
    query = sa.select(rooms.c.room, rooms.c.created_ns, erasures.c.erased_ns)
    query = query.join_from(rooms, erasures, erasures.c.room == rooms.c.room, isouter=True)
    row = connection.execute(query.where(rooms.c.room == room)).mappings().first()
    return None if row is None else Standing(**row)
