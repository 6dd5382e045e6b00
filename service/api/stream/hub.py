"""One reader of the event log for all stream clients of this process.

Events come out of the store only, so none reaches a client before it is durable. Numbers become visible in
their order (docs/adr/0009-one-writer-at-a-time.md), so nothing can appear behind the reader's back.
"""

import asyncio
import time
from collections.abc import Hashable

import anyio.to_thread
import msgspec
import sqlalchemy as sa
import structlog

from service.api.stream.outbox import MAX_WAITING, Outbox, StreamEnd
from service.api.stream.subscription import Subscription
from service.events import EventType
from service.store.engine import Store
from service.store.eventlog import StoredEvent, read_events, read_head, site_id
from service.store.keys import Principal
from service.store.sessions import still_valid
from service.view.cloudevents import cloud_event

POLL_S = 0.5
_KEY_CHECK_S = 1.0
_PAGE = 500
KEY_ENDED = 4401
_log = structlog.get_logger(__name__)


class Client:
    """One subscriber. It gets nothing from the hub until it has `joined` at a position."""

    def __init__(self, principal: Principal, subscription: Subscription, limit: int) -> None:
        self.principal = principal
        self.subscription = subscription
        self.outbox = Outbox(limit)
        self.position: int | None = None


class Hub:
    """Tails the log and fans out; everything but `wake` belongs to the event loop's thread."""

    def __init__(self, store: Store, *, max_waiting: int = MAX_WAITING) -> None:
        self.store = store
        self.site = site_id(store)
        self.clients: set[Client] = set()
        self.max_waiting = max_waiting
        self.position = read_head(store)
        self._woken = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._keys_checked = 0.0

    def wake(self) -> None:
        """Something was appended; from any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._woken.set)

    def add(self, principal: Principal, subscription: Subscription) -> Client:
        """A new client, not joined yet."""
        client = Client(principal, subscription, self.max_waiting)
        self.clients.add(client)
        return client

    def join(self, client: Client, position: int) -> bool:
        """From now on the client gets what comes after `position`; False while that is behind the hub."""
        if position < self.position:
            return False
        client.position = position
        return True

    def leave(self, client: Client) -> None:
        """The client is gone."""
        self.clients.discard(client)

    async def run(self) -> None:
        """Tail until cancelled; trouble is logged and tried again."""
        self._loop = asyncio.get_running_loop()
        lost = False
        while True:
            try:
                await self._step()
                lost = False
            except sa.exc.OperationalError as error:
                if not lost:
                    _log.error("event_log_unreachable", reason=str(error.orig).strip())
                lost = True
            except Exception:  # noqa: BLE001 - the task's boundary: no trouble may end the tail in silence
                _log.exception("event_log_unreadable")
            await self._wait()

    @property
    def _followed(self) -> bool:
        return any(client.position is not None for client in self.clients)

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(POLL_S):
                await self._woken.wait()
        except TimeoutError:
            return
        finally:
            self._woken.clear()

    async def _step(self) -> None:
        if self._followed:
            await self._fan_out()
        else:
            newest = await anyio.to_thread.run_sync(read_head, self.store)
            if not self._followed:  # else somebody joined meanwhile, at an older position than `newest`
                self.position = max(self.position, newest)
        if self.clients and time.monotonic() - self._keys_checked > _KEY_CHECK_S:
            self._keys_checked = time.monotonic()
            await self._expel_ended()

    async def _fan_out(self) -> None:
        while True:
            page = await anyio.to_thread.run_sync(self._read)
            for event in page:
                self._hand_out(event)
            if len(page) < _PAGE:
                return

    def _read(self) -> list[StoredEvent]:
        return read_events(self.store, after=self.position, limit=_PAGE).events

    def _hand_out(self, event: StoredEvent) -> None:
        """Give one event to all it concerns; encoded once, however many they are."""
        text: str | None = None
        for client in self.clients:
            if client.position is None or client.position >= event.sequence:
                continue
            if client.subscription.fits(event):
                text = text or self.encode(event)
                client.outbox.put(event.sequence, coalescing_key(event), text)
        self.position = event.sequence

    def encode(self, event: StoredEvent) -> str:
        """The event as it goes over the wire."""
        return msgspec.json.encode(cloud_event(event, self.site)).decode()

    async def _expel_ended(self) -> None:
        """Close the streams whose key or session has ended."""
        asked = {client.principal for client in self.clients}
        valid = await anyio.to_thread.run_sync(still_valid, self.store, asked)
        for client in self.clients:
            if client.principal in asked - valid:
                client.outbox.end(StreamEnd(KEY_ENDED, "the key or session was revoked or has expired"))


def coalescing_key(event: StoredEvent) -> Hashable | None:
    """Key of which only the newest event matters to a slow client: the state of one task in one room."""
    if event.type == EventType.PREDICTION_CHANGED:
        return event.room, event.data.get("task")
    return None
