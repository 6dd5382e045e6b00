"""Keeps one outlet fed: connect, show, read after its cursor, deliver, move the cursor; back off on trouble.

The cursor moves only after the peer has what lies before it, so an outage delays and never loses; after a
crash between the two the same events come again, with the same numbers. So they do where the outlet's
`resend` says that the peer may have lost what it had.
"""

import asyncio
import time
from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa
import structlog

from models.prediction import JsonValue
from service.outlets.again import Again
from service.outlets.cursor import Cursor
from service.outlets.port import Outlet, OutletError
from service.outlets.tail import Tail
from service.outlets.trouble import Trouble
from service.outlets.views import EVERY_S, Views
from service.store.engine import Store
from service.store.eventlog import EventPage, StoredEvent, read_events
from service.view.leaving import may_leave

PAGE: Final = 100
"""Events handed over at once."""
_log = structlog.get_logger(__name__)


class Follower:
    """One outlet and where it stands in the log; belongs to the event loop's thread."""

    def __init__(
        self, outlet: Outlet, store: Store, tail: Tail, views: Views, *, allow_non_live: bool
    ) -> None:
        self.outlet, self._store, self._tail, self._views = outlet, store, tail, views
        self._allow_non_live = allow_non_live
        self._trouble = Trouble(outlet.name)
        self._cursor = Cursor(store, outlet.name)
        self._again = Again(outlet.resend, store, self._cursor, self._leaves)
        self._shown_s = 0.0
        self.connected = False
        self.delivered = self.lost = 0

    def report(self) -> dict[str, JsonValue]:
        """Where the outlet stands, for the heartbeat; counts are of this process."""
        position = self._cursor.position
        behind = 0 if position is None else max(0, self._tail.newest - position)
        return {
            "connected": self.connected,
            "position": position,
            "lag": behind,
            "delivered": self.delivered,
            "failed": self._trouble.failed,
            "lost": self.lost,
            "trouble": self._trouble.reason,
        }

    async def run(self) -> None:
        """Feed the outlet until cancelled; then its cursor is where the peer is."""
        try:
            await self._keep_connected()
        finally:
            await self._save_at_last()

    async def _keep_connected(self) -> None:
        while True:
            try:
                await self._connected()
            except OutletError as error:
                self._trouble.note(str(error))
                await self._keep(error.done)
            except sa.exc.SQLAlchemyError as error:
                self._trouble.note(f"the store does not answer ({type(error).__name__})")
            except Exception as error:  # noqa: BLE001 - the task's boundary: one outlet's bug stops no other
                _log.exception("outlet_failed", outlet=self.outlet.name)
                self._trouble.note(f"{type(error).__name__}: {error}")
            finally:
                self.connected = False
            await asyncio.sleep(self._trouble.wait_s())

    async def _connected(self) -> None:
        await self._cursor.open()
        self._shown_s = 0.0
        async with self.outlet:
            self.connected = True
            await self._again.connected()
            try:
                await self._feed()
            finally:
                self._again.lost()

    async def _feed(self) -> None:
        while True:
            await self._show()
            await self._send_again()
            if not await self._pass_on():
                self._trouble.over()
                await self._cursor.save_if_due()
                await self._tail.tick(EVERY_S)

    async def _show(self) -> None:
        if self.outlet.wants_view and time.monotonic() - self._shown_s >= EVERY_S:
            await self.outlet.show(await self._views.current())
            self._shown_s = time.monotonic()

    async def _send_again(self) -> None:
        events = await self._again.due()
        if events:
            await self.outlet.deliver(events)
            _log.info("outlet_resent", outlet=self.outlet.name, events=len(events))

    async def _pass_on(self) -> bool:
        """Deliver the next page; whether there was anything new in the log."""
        before = await self._cursor.open()
        if self._tail.newest == before:
            return False
        page = await asyncio.to_thread(read_events, self._store, after=before, limit=PAGE)
        events = self._leaving(page.events)
        if events:
            await self.outlet.deliver(events)
            self._again.delivered(before)
            self.delivered += len(events)
            self._trouble.over()
        if not page.complete:
            self._note_hole(before, page)
        await self._cursor.move(page.next_after, delivered=bool(events))
        return page.next_after != before

    def _leaving(self, events: Sequence[StoredEvent]) -> list[StoredEvent]:
        return [event for event in events if self._leaves(event)]

    def _leaves(self, event: StoredEvent) -> bool:
        return may_leave(event, allow_non_live=self._allow_non_live)

    async def _keep(self, done: int | None) -> None:
        """What arrived before the trouble need not come again."""
        if done is not None and done > (self._cursor.position or 0):
            self._cursor.position = done
            await self._save_at_last()

    async def _save_at_last(self) -> None:
        """Write the cursor; if the store does not answer, events come again instead."""
        try:
            await self._cursor.save()
        except sa.exc.SQLAlchemyError:
            _log.warning("outlet_cursor_unsaved", outlet=self.outlet.name, sequence=self._cursor.position)

    def _note_hole(self, after: int, page: EventPage) -> None:
        """Events went out of retention before the peer could have them: say so, count, go on."""
        first = page.events[0].sequence if page.events else page.next_after + 1
        missing = max(0, first - after - 1)
        self.lost += missing
        _log.error("outlet_hole", outlet=self.outlet.name, after=after, goes_on_at=first, missing=missing)
