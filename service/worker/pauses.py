"""Privacy pauses in the worker: looked up several times a second, whoever announced them or did not."""

from collections.abc import Callable, Mapping
from typing import Final

from service.rooms.alerting.book import AlertBook
from service.store.engine import Store
from service.store.pauses import read_pauses
from service.worker.batch import Batch
from service.worker.rooms import RoomRuntime

CHECK_S: Final = 0.25


class Pauses:
    """Begins and ends the pauses of rooms.

    Args:
        store: with what was said about pauses.
        forget: called with each room whose pause begins: what is remembered of it elsewhere goes.
    """

    def __init__(self, store: Store, forget: Callable[[str], None]) -> None:
        self._store, self._forget = store, forget

    def look(self, rooms: Mapping[str, RoomRuntime], now_ns: int, book: AlertBook, batch: Batch) -> None:
        """Bring every room to what holds at this moment."""
        known = read_pauses(self._store)
        held = {room for room, pause in known.items() if room in rooms and pause.at(now_ns) is not None}
        for name in held:
            if not rooms[name].paused:
                self._forget(name)
            rooms[name].pause(now_ns, book, batch)
        for name, room in rooms.items():
            if room.paused and name not in held:
                room.resume(now_ns, book, batch)
