"""Privacy in the worker: pauses and erasures, looked up several times a second, whoever announced them."""

from collections.abc import Callable, Mapping
from typing import Final

from service.rooms.alerting.book import AlertBook
from service.rooms.pause import Pause
from service.store.alert_book import read_standing
from service.store.engine import Store
from service.store.erasing import Beginning, read_beginnings
from service.store.pauses import pauses_stand, read_pauses
from service.worker.alerts import tell
from service.worker.batch import Batch
from service.worker.rooms import RoomRuntime

CHECK_S: Final = 0.25
Rooms = Mapping[str, RoomRuntime]


class Privacy:
    """Begins and ends pauses of rooms, and forgets what somebody erased.

    Args:
        store: with what was said about both.
        forget: called with a room of which nothing may be left: what is remembered elsewhere goes.
    """

    def __init__(self, store: Store, forget: Callable[[str], None]) -> None:
        self._store, self._forget = store, forget
        self._begun = read_beginnings(store)
        self._pauses: dict[str, Pause] = {}
        self._stand: dict[str, int] = {}

    def look(self, rooms: Rooms, now_ns: int, book: AlertBook, batch: Batch) -> None:
        """Bring every room to what holds at this moment."""
        self._forget_erased(rooms, now_ns, book, batch)
        held = {room for room, pause in self._known().items() if pause.at(now_ns) is not None}
        for name in held & set(rooms):
            if not rooms[name].paused:
                self._forget(name)
            rooms[name].pause(now_ns, book, batch)
        for name, room in rooms.items():
            if room.paused and name not in held:
                room.resume(now_ns, book, batch)

    def _known(self) -> dict[str, Pause]:
        """Pauses as the store has them; they are read, and their schedules checked, only after a change."""
        stand = pauses_stand(self._store)
        if stand != self._stand:
            self._stand, self._pauses = stand, read_pauses(self._store)
        return self._pauses

    def _forget_erased(self, rooms: Rooms, now_ns: int, book: AlertBook, batch: Batch) -> None:
        """What was erased in the store is not written again out of memory."""
        found = read_beginnings(self._store)
        for name in found.keys() & rooms.keys():
            if found[name] != self._begun.get(name, Beginning(found[name].made_ns)):
                self._forget(name)
                rooms[name].forget()
                batch.forget(name)
                standing = read_standing(self._store, only=name)
                tell(book.begin_anew(name, standing, now_ns), now_ns, batch)
        self._begun |= found
