"""The outlet: the site's view, about once a second, as the points of a BACnet device.

Everything it tells is retained truth, so events themselves are not passed on: who subscribed hears of every
change of a point, and who comes later reads the same.
"""

import asyncio
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

import structlog

from service.outlets.bacnet.identity import identify
from service.outlets.bacnet.layout import Entry
from service.outlets.bacnet.network import check_free
from service.outlets.bacnet.points import Point
from service.outlets.bacnet.quiet import quieten
from service.outlets.bacnet.served import Served
from service.outlets.bacnet.settings import BacnetSettings
from service.outlets.bacnet.telling import Severities, points_of
from service.outlets.port import SiteView
from service.settings import Settings
from service.store.alerts import open_alerts
from service.store.engine import Store
from service.store.eventlog import StoredEvent
from service.view.watch import WORKER_SILENT_S

_log = structlog.get_logger(__name__)


def make(settings: Settings, store: Store) -> "BacnetOutlet":
    """The outlet that the section `outlets.bacnet` asks for."""
    section = settings.outlets.bacnet
    assert section is not None  # noqa: S101 - the registry asks only then
    return BacnetOutlet(section, store)


class BacnetOutlet:
    """A BACnet device on the site's network."""

    name = "bacnet"
    wants_view = True
    resend = None

    def __init__(self, settings: BacnetSettings, store: Store) -> None:
        self._settings, self._store = settings, store
        self._served: Served | None = None
        self._rooms: list[tuple[str, int, int]] = []
        self._layout: list[Entry] = []
        self._entered_s = 0.0
        self._bbmd_answers = True

    async def __aenter__(self) -> Self:
        """See that the port is free; it is opened when there is something to tell.

        Raises:
            OutletError: it is not, or the address is not this machine's.
        """
        quieten()
        check_free(self._settings)
        self._entered_s = time.monotonic()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Leave the network: controllers see the device go, which tells more than values that stand still."""
        served, self._served = self._served, None
        if served is not None:
            await served.close()

    async def deliver(self, events: Sequence[StoredEvent]) -> None:
        """Nothing to pass on: what events changed is in the next view."""

    async def show(self, view: SiteView) -> None:
        """Show every room's states, and its gravest open alert."""
        if self._served is None and not view.worker_up and self._is_early():
            return
        severities = await asyncio.to_thread(self._severities, allow_non_live=view.allow_non_live)
        records = [room.record for room in view.rooms]
        rooms = [(record.room, record.created_ns, record.revision) for record in records]
        if self._served is not None and rooms == self._rooms:
            self._served.show(self._points(self._served, view, severities))
            self._note_bbmd(self._served)
            return
        self._layout, known = await asyncio.to_thread(
            identify, self._store, records, self._settings.device_instance
        )
        served = self._served or Served(self._settings, known)
        await served.arrange(self._points(served, view, severities), known)
        if self._served is None:
            await served.open()
        self._served, self._rooms = served, rooms

    def _points(self, served: Served, view: SiteView, severities: Severities) -> dict[Entry, Point]:
        return points_of(self._layout, view, severities, served.points, self._settings.on_unknown)

    def _note_bbmd(self, served: Served) -> None:
        """Say once when the BBMD is lost, and once when it is back; the library tries for ever."""
        if served.bbmd_answers != self._bbmd_answers:
            self._bbmd_answers = served.bbmd_answers
            told = _log.info if self._bbmd_answers else _log.warning
            told("bacnet_bbmd", bbmd=self._settings.bbmd, registered=self._bbmd_answers)

    def _is_early(self) -> bool:
        """Whether the worker may still be heard: nobody shall see a fault that lasts one heartbeat."""
        return time.monotonic() - self._entered_s < WORKER_SILENT_S

    def _severities(self, *, allow_non_live: bool) -> Severities:
        with self._store.read() as connection:
            alerts = open_alerts(connection)
        found: dict[str, list[str]] = {}
        for alert in alerts:
            if allow_non_live or alert.get("source") in {None, "live"}:
                found.setdefault(alert["room"], []).append(alert["severity"])
        return found
