"""The outlet to a security centre: events from the log and, if asked for, audit entries."""

import socket
import ssl
from collections.abc import Sequence
from importlib.metadata import version
from types import TracebackType
from typing import Self

from service.errors import ServiceError
from service.outlets.port import Outlet, SiteView
from service.outlets.resend import Reach, Resend
from service.outlets.syslog.connection import Connection, tls_of
from service.outlets.syslog.entries import of_audit, of_event
from service.outlets.syslog.message import MAX_SEQUENCE_ID, Entry, Header, encode, frame
from service.outlets.syslog.settings import SyslogSettings
from service.outlets.syslog.trail import Trail
from service.settings import Settings
from service.store.engine import Store
from service.store.eventlog import StoredEvent, site_id
from service.view.cloudevents import severity_rank
from service.view.selection import Selection, event_types


class SyslogOutlet:
    """Writes messages; after a broken connection those that the collector may have lost come again."""

    name = "syslog"
    wants_view = True

    def __init__(
        self, settings: SyslogSettings, selection: Selection, tls: ssl.SSLContext | None, store: Store
    ) -> None:
        self._settings, self._selection, self._tls = settings, selection, tls
        hostname = settings.hostname or socket.gethostname() or "-"
        self._header = Header(
            settings.facility, hostname, settings.enterprise, version("roomtone"), settings.max_bytes
        )
        self._site = site_id(store)
        reach = Reach(settings.resend, settings.resend_age_s, settings.resend_gap_s, breaks_only=True)
        self.resend = Resend(reach, selection.fits)
        self._trail = Trail(store, reach) if settings.audit else None
        self._connection: Connection | None = None
        self._sequence_id = 0

    async def __aenter__(self) -> Self:
        self._connection = await Connection.open(self._settings, self._tls)
        if self._trail is not None:
            self._trail.connected()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._trail is not None:
            self._trail.lost()
        if self._connection is not None:
            await self._connection.close()
            self._connection = None

    async def deliver(self, events: Sequence[StoredEvent]) -> None:
        """Write those that were asked for; syslog knows no acknowledgement, see `Connection`."""
        await self._write([of_event(event, self._site) for event in events if self._selection.fits(event)])

    async def show(self, view: SiteView) -> None:
        """Once a second: does the peer still stand, and are there new audit entries; states are not told.

        Without the first, messages that a dying peer had taken and not read would wait for the next alert.
        """
        del view
        assert self._connection is not None  # noqa: S101 - between enter and exit
        self._connection.check()
        if self._trail is not None:
            await self._tell(self._trail)

    async def _tell(self, trail: Trail) -> None:
        await self._write([of_audit(row, self._site) for row in await trail.again()])
        rows = await trail.new()
        if rows:
            await self._write([of_audit(row, self._site) for row in rows])
            await trail.told(rows)

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
