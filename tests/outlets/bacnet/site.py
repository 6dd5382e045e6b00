"""A site whose states tests set, shown on a real BACnet device in the test's own event loop."""

import time
from pathlib import Path
from typing import Any

from service.outlets.bacnet.outlet import BacnetOutlet
from service.outlets.bacnet.settings import BacnetSettings
from service.outlets.views import Views
from service.rooms.config import RoomConfig
from service.state import rfc3339
from service.store.engine import open_store
from service.store.rooms import delete_room, put_room
from service.store.schema import alerts, states
from service.view.watch import Watch
from tests.ports import free_udp_port


class Site:
    """Store, worker's health and the outlet."""

    def __init__(self, folder: Path, *, store: str | None = None, **section: Any) -> None:
        self.store = open_store(store or f"sqlite:///{folder / 'store.sqlite3'}")
        self.watch = Watch()
        self.watch.hear({"part": "worker"})
        self.port = free_udp_port()
        self.settings = BacnetSettings(**{"address": "127.0.0.1", "port": self.port, **section})
        self.outlet = BacnetOutlet(self.settings, self.store)
        self.allow_non_live = False

    async def show(self) -> None:
        """Show the site as it is now, as the frame does every second."""
        views = Views(self.store, self.watch, allow_non_live=self.allow_non_live)
        await self.outlet.show(await views.current())

    def put_room(self, room: str, **document: Any) -> None:
        put_room(self.store, room, RoomConfig(**document), check=lambda _: None, actor="test", nics={})

    def delete_room(self, room: str) -> None:
        delete_room(self.store, room, check=lambda _: None, actor="test")

    def put_state(self, room: str, task: str, value: Any, **more: Any) -> None:
        """Store a state as the worker does: known, unless `more` says otherwise."""
        now = time.time_ns()
        doc = {"task": task, "status": "ok", "reason": None, "value": value, "since": rfc3339(now)}
        row = {"room": room, "task": task, "doc": {**doc, "source": "live", "last_known": None, **more}}
        with self.store.write() as connection:
            connection.execute(states.delete().where((states.c.room == room) & (states.c.task == task)))
            connection.execute(
                states.insert().values(**row, memory={}, received_ns=now, sequence=1, updated_ns=now)
            )

    def put_alert(self, room: str, severity: str, **doc: Any) -> None:
        now = time.time_ns()
        row = {"alert_id": f"{room}-{severity}", "rule": "r", "room": room, "severity": severity}
        with self.store.write() as connection:
            connection.execute(
                alerts.insert().values(**row, state="raised", raised_ns=now, updated_ns=now, doc=doc)
            )
