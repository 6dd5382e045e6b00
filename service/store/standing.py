"""A room as it stood when somebody began to make something for it: that is kept only if it still does.

Reading a capture takes seconds. A room may be deleted or erased meanwhile, and nothing that was measured in
it before comes back after that.
"""

from dataclasses import dataclass

import sqlalchemy as sa

from service.errors import ServiceError
from service.store.engine import Store
from service.store.erasing import Beginning, select_beginnings


class RoomGoneError(ServiceError):
    """The room was deleted meanwhile; one of the same name may have been made since."""


class RoomErasedError(ServiceError):
    """The history of the room was erased meanwhile."""


@dataclass(frozen=True, slots=True)
class Standing:
    """A room, and since when what is stored of it is stored."""

    room: str
    begun: Beginning


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
    if now is None or now.begun.made_ns != before.begun.made_ns:
        raise RoomGoneError(f"room {before.room} was deleted meanwhile; nothing was kept")
    if now != before:
        raise RoomErasedError(f"the history of room {before.room} was erased meanwhile; nothing was kept")


def _select(connection: sa.Connection, room: str) -> Standing | None:
    begun = select_beginnings(connection, only=room).get(room)
    return None if begun is None else Standing(room, begun)
