"""Bodies about rooms."""

from pydantic import BaseModel

from service.api.documents.common import Cursor
from service.rooms.config import RoomConfig


class Room(RoomConfig):
    """A room."""

    room: str
    revision: int
    created_at: str
    updated_at: str


class RoomPage(BaseModel):
    """Rooms."""

    items: list[Room]
    next_cursor: Cursor
