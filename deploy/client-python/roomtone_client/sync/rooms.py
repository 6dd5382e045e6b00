"""Rooms, their states, predictions and events, for threads."""

from collections.abc import Mapping
from typing import Any

from roomtone_client import api
from roomtone_client.api import Names
from roomtone_client.calls import Moment
from roomtone_client.documents import EventPage, Page, Prediction, Room, RoomState, SiteState, ZoneState
from roomtone_client.sync.base import Caller


class RoomCalls(Caller):
    """Rooms, their states, predictions and events."""

    def rooms(self) -> list[Room]:
        """Every room the key covers."""
        return (self._do(api.rooms())).items

    def room(self, room: str) -> Room:
        """One room, with its `etag`."""
        return self._do(api.room(room))

    def put_room(self, room: str, config: Mapping[str, Any], *, if_match: str | None = None) -> Room:
        """Create a room or replace its document; with `if_match` only if it still has this `etag`."""
        return self._do(api.put_room(room, config, if_match))

    def delete_room(self, room: str, *, if_match: str | None = None) -> None:
        """Erase a room and what is stored of it."""
        self._do(api.delete_room(room, if_match))

    def room_state(self, room: str) -> RoomState:
        """The latest state of every task of a room."""
        return self._do(api.room_state(room))

    def states(self, *, rooms: Names | None = None, tasks: Names | None = None) -> SiteState:
        """States of all rooms and zones, at one moment."""
        return self._do(api.states(rooms, tasks))

    def zone_state(self, zone: str) -> ZoneState:
        """Whether anybody is in a zone."""
        return self._do(api.zone_state(zone))

    def predictions(
        self,
        room: str,
        *,
        task: str | None = None,
        start: Moment | None = None,
        end: Moment | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> Page[Prediction]:
        """What was said of single windows, newest first; `cursor` is `next_cursor` of the page before."""
        query = {"task": task, "from": start, "to": end, "limit": limit, "cursor": cursor}
        return self._do(api.predictions(room, **query))

    def events(
        self, *, after: int = 0, types: Names | None = None, rooms: Names | None = None, limit: int = 100
    ) -> EventPage:
        """Events with a number above `after`, in order."""
        return self._do(api.events(after=after, types=types, rooms=rooms, limit=limit))
