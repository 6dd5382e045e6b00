"""The audit as the outlet's second log: where the collector stands in it, and what it may have lost."""

import asyncio
import time
from collections.abc import Sequence
from typing import Final

from service.outlets.resend import Reach, Resend
from service.outlets.threads import finish
from service.store.audit import AuditRow, audit_head, read_audit, read_last_audit
from service.store.engine import Store
from service.store.outlets import open_cursor, save_cursor

CURSOR: Final = "syslog.audit"
_PAGE: Final = 100


class Trail:
    """Audit entries to tell; a new one begins with the next entry."""

    def __init__(self, store: Store, reach: Reach) -> None:
        self._store, self._resend = store, Resend(reach)
        self._position: int | None = None

    def connected(self) -> None:
        """The collector is there."""
        self._resend.connected(time.monotonic())

    def lost(self) -> None:
        """The connection is over."""
        self._resend.lost(time.monotonic())

    async def again(self) -> list[AuditRow]:
        """Entries that the collector may have lost, if they are due: nothing beyond the cursor."""
        position = await self._open()
        after = self._resend.take(time.monotonic())
        if after is None:
            return []
        limit = self._resend.reach.count
        return await asyncio.to_thread(read_last_audit, self._store, after=after, up_to=position, limit=limit)

    async def new(self) -> list[AuditRow]:
        """The next entries, in order."""
        return await asyncio.to_thread(read_audit, self._store, after=await self._open(), limit=_PAGE)

    async def told(self, rows: Sequence[AuditRow]) -> None:
        """What `new` gave is written to the collector."""
        self._resend.delivered(await self._open(), time.monotonic())
        self._position = rows[-1].id
        await finish(save_cursor, self._store, CURSOR, rows[-1].id)

    async def _open(self) -> int:
        if self._position is None:
            self._position = await finish(open_cursor, self._store, CURSOR, audit_head)
        return self._position
