"""The device while it is on the network: its objects, and what each of them shows."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

from service.outlets.bacnet.device import device_object
from service.outlets.bacnet.gateway import Gateway
from service.outlets.bacnet.layout import Entry
from service.outlets.bacnet.network import broadcasts, network_port
from service.outlets.bacnet.objects import make_object, show_point
from service.outlets.bacnet.points import Point
from service.outlets.bacnet.settings import BacnetSettings
from service.outlets.port import OutletError
from service.store.bacnet import Device

_AT_ONCE: Final = 50
"""Objects made before others have their turn: a site of 300 rooms has 900."""
_OPEN_WITHIN_S: Final = 3.0


class Served:
    """A device that answers; belongs to the event loop's thread."""

    def __init__(self, settings: BacnetSettings, device: Device) -> None:
        self._settings = settings
        self._entries: dict[Entry, Any] = {}
        self.points: dict[Entry, Point] = {}
        self._app = Gateway.from_object_list([device_object(settings, device)])

    async def open(self) -> None:
        """Go on the network, and tell it where broadcasts are set.

        Raises:
            OutletError: somebody took the port meanwhile.
        """
        self._app.add_object(network_port(self._settings))
        try:
            async with asyncio.timeout(_OPEN_WITHIN_S):
                while not self._app.is_open:  # noqa: ASYNC110 - the library tells nobody
                    await asyncio.sleep(0.01)
        except TimeoutError as error:
            await self.close()
            raise OutletError(f"UDP port {self._settings.port} for BACnet does not open") from error
        if broadcasts(self._settings):
            self._app.i_am()

    async def arrange(self, points: Mapping[Entry, Point], device: Device) -> None:
        """Have exactly these objects, each showing its point."""
        for entry in [entry for entry in self._entries if entry not in points]:
            self._app.delete_object(self._entries.pop(entry))
            del self.points[entry]
        for made, (entry, point) in enumerate(points.items()):
            self._put(entry, point)
            if made % _AT_ONCE == _AT_ONCE - 1:
                await asyncio.sleep(0)
        self._app.device_object.databaseRevision = device.revision

    def show(self, points: Mapping[Entry, Point]) -> int:
        """Make objects show their points; how many changed."""
        changed = [entry for entry, point in points.items() if self.points[entry] != point]
        for entry in changed:
            show_point(entry, self._entries[entry], points[entry])
            self.points[entry] = points[entry]
        return len(changed)

    @property
    def bbmd_answers(self) -> bool:
        """Whether the BBMD took the registration; true where there is none to register with."""
        return self._settings.bbmd is None or self._app.is_registered

    def _put(self, entry: Entry, point: Point) -> None:
        self.points[entry] = point
        if entry in self._entries:
            show_point(entry, self._entries[entry], point)  # its description may be another
        else:
            self._entries[entry] = make_object(entry, point)
            self._app.add_object(self._entries[entry])

    async def close(self) -> None:
        """Leave the network; a good-bye to a BBMD is sent before the socket closes."""
        self._app.close()
        await asyncio.sleep(0)
