"""Bodies about rooms."""

from typing import Annotated

from pydantic import BaseModel

from service.api.documents.common import Cursor, ignoring
from service.rooms.config import RoomConfig


class Room(RoomConfig):
    """A room."""

    room: str
    revision: int
    created_at: str
    updated_at: str


RoomBody = Annotated[RoomConfig, ignoring(Room.model_fields.keys() - RoomConfig.model_fields.keys())]
"""What is configured of a room; what else GET tells of it is of no account."""


class RoomPage(BaseModel):
    """Rooms."""

    items: list[Room]
    next_cursor: Cursor
