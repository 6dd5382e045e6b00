"""The outlet to a security centre: events from the log and, if asked for, audit entries."""

import asyncio
import socket
import ssl
import time
from collections import deque
from collections.abc import Sequence
from importlib.metadata import version
from types import TracebackType
from typing import Final, Self

from service.errors import ServiceError
from service.outlets.port import Outlet, SiteView
from service.outlets.syslog.connection import Connection, tls_of
from service.outlets.syslog.entries import of_audit, of_event
from service.outlets.syslog.message import MAX_SEQUENCE_ID, Entry, Header, encode, frame
from service.outlets.syslog.settings import SyslogSettings
from service.outlets.threads import finish
from service.settings import Settings
from service.store.audit import audit_head, read_audit
from service.store.engine import Store
from service.store.eventlog import StoredEvent, site_id
from service.store.outlets import open_cursor, save_cursor
from service.view.cloudevents import severity_rank
from service.view.selection import Selection, event_types

AUDIT_CURSOR: Final = "syslog.audit"
AUDIT_SETTLES_NS: Final = 2 * 10**9
"""Entries are read when they are so old: a database may show numbers out of order while they are written."""
_PAGE: Final = 100


class SyslogOutlet:
    """Writes messages and remembers the last ones: after a broken connection they are sent again."""

    name = "syslog"
    wants_view = True
    resend = None

    def __init__(
        self, settings: SyslogSettings, selection: Selection, tls: ssl.SSLContext | None, store: Store
    ) -> None:
        self._settings, self._selection, self._tls, self._store = settings, selection, tls, store
        hostname = settings.hostname or socket.gethostname() or "-"
        self._header = Header(settings.facility, hostname, settings.enterprise, version("roomtone"))
        self._site = site_id(store)
        self._last: deque[Entry] = deque(maxlen=settings.resend)
        self._connection: Connection | None = None
        self._sequence_id = 0
        self._audited: int | None = None

    async def __aenter__(self) -> Self:
        """Connect, and send again what a peer that broke off may have lost."""
        self._connection = await Connection.open(self._settings, self._tls)
        try:
            await self._write(list(self._last))
        except BaseException:
            await self._connection.close()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._connection is not None:
            await self._connection.close()
            self._connection = None

    async def deliver(self, events: Sequence[StoredEvent]) -> None:
        """Write those that were asked for; syslog knows no acknowledgement, see `Connection`."""
        await self._send([of_event(event, self._site) for event in events if self._selection.fits(event)])

    async def show(self, view: SiteView) -> None:
        """Once a second: does the peer still stand, and are there new audit entries; states are not told.

        Without the first, messages that a dying peer had taken and not read would wait for the next alert.
        """
        del view
        assert self._connection is not None  # noqa: S101 - between enter and exit
        self._connection.check()
        if self._settings.audit:
            await self._tell_audit()

    async def _tell_audit(self) -> None:
        if self._audited is None:
            self._audited = await asyncio.to_thread(open_cursor, self._store, AUDIT_CURSOR, audit_head)
        settled_ns = time.time_ns() - AUDIT_SETTLES_NS
        rows = await asyncio.to_thread(
            read_audit, self._store, after=self._audited, until_ns=settled_ns, limit=_PAGE
        )
        if rows:
            await self._send([of_audit(row, self._site) for row in rows])
            self._audited = rows[-1].id
            await finish(save_cursor, self._store, AUDIT_CURSOR, self._audited)

    async def _send(self, entries: Sequence[Entry]) -> None:
        """Write, then remember; what a break catches half way is delivered again by who asked."""
        await self._write(entries)
        self._last.extend(entries)

    async def _write(self, entries: Sequence[Entry]) -> None:
        assert self._connection is not None  # noqa: S101 - writes come between enter and exit
        if entries:
            await self._connection.write(b"".join(frame(self._encode(entry)) for entry in entries))

    def _encode(self, entry: Entry) -> bytes:
        self._sequence_id = self._sequence_id % MAX_SEQUENCE_ID + 1
        return encode(entry, self._header, self._sequence_id)


def make(settings: Settings, store: Store) -> Outlet:
    """The outlet of this site.

    Raises:
        ServiceError: certificates cannot be used, or a type is unknown.
    """
    section = settings.outlets.syslog
    assert section is not None  # noqa: S101 - the registry asks only where it is set
    try:
        types = event_types(section.types)
    except ValueError as error:
        raise ServiceError(f"outlets.syslog.types: {error}") from None
    selection = Selection(None, types, severity_rank(section.min_severity))
    return SyslogOutlet(section, selection, tls_of(section), store)
