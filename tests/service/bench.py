"""A worker on the memory bus with a real store, turned by hand."""

import time
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from service.bus.memory import MemoryHub, MemoryIngest, MemorySignals
from service.settings import Settings
from service.store.engine import Store
from service.store.schema import events, states
from service.worker.loop import Worker
from tests.service.frames import FakeSensing, S, Talker


@dataclass
class Bench:
    """A worker that is turned by hand, its clock (`skew` ahead of ours), and everything around it."""

    store: Store
    settings: Settings
    hub: MemoryHub = field(default_factory=MemoryHub)
    skew: int = 0
    sensing: FakeSensing = field(default_factory=FakeSensing)

    def __post_init__(self) -> None:
        self.api = MemorySignals(self.hub, "api", ["worker"])
        self.start()

    def start(self) -> None:
        self.ingest = MemoryIngest(self.hub)
        self.signals = MemorySignals(self.hub, "worker", ["api"])
        self.worker = Worker(
            self.settings,
            self.store,
            ingest=self.ingest,
            signals=self.signals,
            sensing=self.sensing,
            now_ns=lambda: time.time_ns() + self.skew,
        )
        self.worker.start()

    def restart(self) -> None:
        """As after kill -9: nothing of the old worker is asked."""
        self.ingest.close()
        self.signals.close()
        self.start()

    def turn(self, times: int = 3) -> None:
        for _ in range(times):
            self.worker._due = dict.fromkeys(self.worker._due, 0.0)
            self.worker.turn(0.0)

    def later(self, seconds: float) -> None:
        self.skew += round(seconds * S)
        self.turn()

    def talker(self, *args: Any, **words: Any) -> Talker:
        talker = Talker(self.hub.sender(), *args, **words)
        talker.hello()
        self.turn()
        return talker

    def rows(self, table: sa.Table) -> list[dict[str, Any]]:
        with self.store.read() as connection:
            return [dict(row) for row in connection.execute(sa.select(table)).mappings()]

    def state(self, task: str = "presence", room: str = "b") -> dict[str, Any]:
        found = [row for row in self.rows(states) if (row["room"], row["task"]) == (room, task)]
        return found[0]["doc"] if found else {}

    def told(self, kind: str = "") -> list[dict[str, Any]]:
        return [row for row in self.rows(events) if kind in row["type"]]

    def link(self, link: str = "l1") -> dict[str, Any]:
        return self.worker.intake.ledgers[link].report()
