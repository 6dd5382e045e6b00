"""What the routes share: one object a process, made by the app factory."""

import time
from dataclasses import dataclass, field

import anyio
from starlette.requests import HTTPConnection

from models.zoo import Card, shelved
from service.api.known_keys import KnownKeys
from service.api.limits import Limits
from service.api.long_work import LongWork
from service.api.metrics import HttpMetrics
from service.api.readers import Readers
from service.api.stream.hub import Hub
from service.api.tickets import Tickets
from service.bus.line import SignalLine
from service.inference.desk import Desk
from service.inference.local_shelf import LocalShelf
from service.inference.shelf import Shelf
from service.settings import Settings
from service.store.engine import Store
from service.view.overlay import Now
from service.view.watch import Watch


@dataclass(slots=True)
class Context:
    """Settings, store, the bus line, and the state of this process."""

    settings: Settings
    store: Store
    watch: Watch
    line: SignalLine
    hub: Hub
    limits: Limits
    tickets: Tickets = field(default_factory=Tickets)
    metrics: HttpMetrics = field(default_factory=HttpMetrics)
    desk: Desk = field(default_factory=Desk)
    shelf: Shelf = field(init=False)
    keys: KnownKeys = field(init=False)
    readers: Readers = field(default_factory=Readers)
    long_work: LongWork = field(default_factory=LongWork)
    checks: anyio.CapacityLimiter = field(default_factory=lambda: anyio.CapacityLimiter(1))
    _cards: tuple[Card, ...] | None = None
    _local: LocalShelf = field(init=False)

    def __post_init__(self) -> None:
        self.shelf = Shelf(self.settings, self.store)
        self.keys = KnownKeys(self.store)
        self._local = LocalShelf(self.settings)

    def cards(self) -> tuple[Card, ...]:
        """Cards of the models on the site's shelves, read again when the local one changes.

        Raises:
            CardError: a card is damaged, or does not describe its model.
        """
        if self._local.changed() or self._cards is None:
            self._cards = tuple(
                model.card for model in shelved(self.settings.models.shelves, self.settings.local_shelf)
            )
        return self._cards

    def now(self) -> Now:
        """What the moment of reading knows, for telling states."""
        watch = self.watch
        return Now(time.time_ns(), watch.worker_up, watch.worker_last_ns, watch.newest_received_ns())


def context_of(connection: HTTPConnection) -> Context:
    """The context of the app that serves this request or WebSocket."""
    found: Context = connection.app.state.context
    return found
