"""Reads from the log what an outlet is to send again.

Nothing of it is kept in memory: what was erased meanwhile is not sent, and a process that was killed knows
as much as one that was not.
"""

import asyncio
import time
from collections.abc import Callable

from service.outlets.cursor import Cursor
from service.outlets.last import read_last_fitting
from service.outlets.resend import Resend
from service.store.engine import Store
from service.store.eventlog import StoredEvent, read_last


class Again:
    """What is due again at one outlet, whose `resend` says when (None: never), of what `leaves` at all."""

    def __init__(
        self, resend: Resend | None, store: Store, cursor: Cursor, leaves: Callable[[StoredEvent], bool]
    ) -> None:
        self._resend = resend if resend is not None and resend.on else None
        self._store, self._cursor, self._leaves = store, cursor, leaves
        self._begun = False

    async def connected(self) -> None:
        """The outlet has its peer; the first time in a process, what one before it delivered is looked up."""
        if self._resend is None:
            return
        if not (self._begun or self._resend.reach.breaks_only):
            await self._look_up(self._resend)
            self._begun = True
        self._resend.connected(time.monotonic())

    def lost(self) -> None:
        """The outlet has its peer no more."""
        if self._resend is not None:
            self._resend.lost(time.monotonic())

    def delivered(self, after: int) -> None:
        """The peer has the page of events that follow this number."""
        if self._resend is not None:
            self._resend.delivered(after, time.monotonic())

    async def due(self) -> list[StoredEvent]:
        """What must be sent again now, in order: nothing beyond the cursor, so it stays where it is."""
        resend = self._resend
        after = None if resend is None else resend.take(time.monotonic())
        if resend is None or after is None:
            return []
        fits, limit = self._both(resend.fits), resend.reach.count
        up_to = await self._cursor.open()
        return await asyncio.to_thread(
            read_last_fitting, self._store, fits, after=after, up_to=up_to, limit=limit
        )

    def _both(self, fits: Callable[[StoredEvent], bool]) -> Callable[[StoredEvent], bool]:
        return lambda event: self._leaves(event) and fits(event)

    async def _look_up(self, resend: Resend) -> None:
        """The times of events stand for those of their delivery; a new outlet has delivered none."""
        delivered = await self._newest(resend.reach.count) if self._cursor.known else []
        if delivered:
            oldest_ns = delivered[-1].time_ns - resend.reach.age_s * 1e9
            first = next(event for event in delivered if event.time_ns >= oldest_ns)
            resend.delivered(first.sequence - 1, time.monotonic())

    async def _newest(self, limit: int) -> list[StoredEvent]:
        up_to = await self._cursor.open()
        return await asyncio.to_thread(read_last, self._store, after=0, up_to=up_to, limit=limit)
