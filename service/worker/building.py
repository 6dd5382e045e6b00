"""Rooms and links as the worker knows them, and what is told when they change or fall silent."""

from collections.abc import Callable, Mapping

from drivers.frame import mac_text
from models.prediction import JsonValue, Reason
from models.signal.window import WindowSpec
from service.events import EventType
from service.rooms.alerting.alert import Fact
from service.rooms.alerting.rules import LINK
from service.store.baselines import fresh
from service.store.engine import Store
from service.worker.alerts import Alerts, tell
from service.worker.batch import Batch, Event
from service.worker.heads import Heads
from service.worker.intake import Follow
from service.worker.ledger import LinkLedger
from service.worker.links import LinkWatch
from service.worker.rooms import RoomRuntime
from service.worker.site import Layout, read_layout, read_rows

Ledgers = Mapping[str, LinkLedger]


class Building:
    """Rooms by name, the links that are expected to deliver, and the open alerts.

    Attributes:
        layout: rooms and links as configured.
        rooms: every configured room.
        watch: which links deliver.
        book: which alerts are open.
    """

    def __init__(self, store: Store, spec: WindowSpec, now_ns: Callable[[], int]) -> None:
        self.layout = Layout()
        self.rooms: dict[str, RoomRuntime] = {}
        self.watch = LinkWatch()
        self.alerts = Alerts(store)
        self.book = self.alerts.book
        self._store, self._spec, self._now_ns = store, spec, now_ns
        self._heads = Heads(store)

    def take_over(self, batch: Batch) -> None:
        """What the worker before us knew is unknown now; links of rooms that it knew are expected."""
        now = self._now_ns()
        for _, room_name, link in self.book.cases("link_lost"):
            if link not in self.layout.rooms[room_name].links:  # it left while no worker ran
                self._tell_left(link, room_name, batch)
                continue
            self.watch.miss(link)
            data: dict[str, JsonValue] = {"link": link, "room": room_name, "reason": "no_frames"}
            self._judge_link(link, data, batch, lost=True)
        for room in self.rooms.values():
            if any(row.memory.ok for row in room.rows.values()):
                for link in room.config.links:
                    self.watch.expect(link, now)
            room.lose(Reason.WORKER_DOWN, now, self.book, batch, only_ok=True)

    def read(self, batch: Batch) -> list[tuple[str, str | None]]:
        """Read the store again; links that moved, and the room each is in now (None: in none)."""
        before, self.layout = self.layout, read_layout(self._store)
        heads = self._heads.read()
        for name in set(self.rooms) - set(self.layout.rooms):
            del self.rooms[name]
            self.book.forget_room(name)
        for name, config in self.layout.rooms.items():
            if name not in self.rooms:
                rows, predicted_ns = read_rows(self._store, name)
                self.rooms[name] = RoomRuntime(name, config, self._spec, rows=rows, predicted_ns=predicted_ns)
            self.rooms[name].config = config
            self.rooms[name].baselines = fresh(self.layout.baselines.get(name, {}))
            self.rooms[name].own = heads.active.get(name, {})
            self.rooms[name].candidates = heads.shadow.get(name, {})
        moved = []
        for link, place in before.links.items():
            now_at = self.layout.links.get(link)
            room = now_at.room if now_at else None
            if room != place.room:
                self._leave(link, place.room, batch)
                moved.append((link, room))
        self.alerts.cover(self.layout.rooms, self._now_ns(), batch)
        return moved

    def read_alerts(self, batch: Batch) -> None:
        """Read alert rules again, and what people did about alerts."""
        self.alerts.read(self.layout.rooms, self._now_ns(), batch)

    def expects_frames(self, room: RoomRuntime) -> bool:
        """Whether any link of the room is still delivering."""
        return any(self.watch.is_up(link) for link in room.config.links)

    def is_paused(self, room: str | None) -> bool:
        """Whether a privacy pause of the room holds."""
        return room in self.rooms and self.rooms[room].paused

    def hear(self, link: str, ledgers: Ledgers, batch: Batch) -> None:
        """Frames came over this link."""
        if self.watch.hear(link, self._now_ns()):
            self._tell_link(link, ledgers, batch, lost=False, reason="frames")

    def follow(self, follow: Follow, ledgers: Ledgers, batch: Batch) -> None:
        """The link follows this transmitter now: remember it; a change is told, and outdates the baseline.

        Also one that a recalibration is about to make.
        """
        batch.transmitters[follow.link] = follow.after
        place, now = self.layout.links.get(follow.link), self._now_ns()
        if not follow.before or place is None or place.room is None:
            return
        data: dict[str, JsonValue] = {
            "link": follow.link,
            "room": place.room,
            "reason": "transmitter_changed",
            "before": mac_text(follow.before),
            "after": mac_text(follow.after),
            "source": ledgers[follow.link].source.value,
        }
        batch.append(Event(EventType.LINK_ROAMED, place.room, data, now))
        batch.stale[place.room, follow.link] = {"reason": "link_roamed", "since_ns": now}
        room = self.rooms.get(place.room)
        if room is not None:
            room.roamed[follow.link] = now
            room.baselines = {link: one for link, one in room.baselines.items() if link != follow.link}

    def look_for_silence(self, ledgers: Ledgers, batch: Batch) -> None:
        """States that nobody feeds any more become unknown; links that fell silent are told lost."""
        now = self._now_ns()
        for room in self.rooms.values():
            if room.is_stale(now):
                room.lose(Reason.STALE, now, self.book, batch)
        for link in self.watch.newly_lost(now):
            self._tell_link(link, ledgers, batch, lost=True, reason="no_frames")

    def _tell_link(self, link: str, ledgers: Ledgers, batch: Batch, *, lost: bool, reason: str) -> None:
        """A link was lost or is back: an event, and an alert raised or cleared."""
        place, now = self.layout.links.get(link), self._now_ns()
        if place is None or place.room is None:
            return
        data: dict[str, JsonValue] = {"link": link, "room": place.room, "reason": reason}
        if link in ledgers:
            data["source"] = ledgers[link].source.value
        kind = EventType.LINK_LOST if lost else EventType.LINK_BACK
        batch.append(Event(kind, place.room, data, now))
        self._judge_link(link, data, batch, lost=lost)

    def _leave(self, link: str, room: str | None, batch: Batch) -> None:
        """The link left this room: nobody waits for it there any more."""
        self.watch.forget(link)
        if room is not None and room in self.rooms:
            self._tell_left(link, room, batch)

    def _tell_left(self, link: str, room: str, batch: Batch) -> None:
        data: dict[str, JsonValue] = {"link": link, "room": room, "reason": "link_removed"}
        self._judge_link(link, data, batch, lost=False)
        self.book.forget_fact(room, LINK, link)

    def _judge_link(self, link: str, data: dict[str, JsonValue], batch: Batch, *, lost: bool) -> None:
        now = self._now_ns()
        change: dict[str, JsonValue] = {"before": {"lost": not lost}, "after": {"lost": lost}}
        fact = Fact(str(data["room"]), LINK, link, lost, now, now, data=data | change)
        tell(self.book.judge(fact), now, batch)
