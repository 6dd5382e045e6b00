"""A building's panel: a BACnet client of its own on another port, talking to the device over real UDP."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Self

from bacpypes3.apdu import ErrorRejectAbortNack
from bacpypes3.app import Application
from bacpypes3.basetypes import PropertyIdentifier
from bacpypes3.local.device import DeviceObject
from bacpypes3.local.networkport import NetworkPortObject
from bacpypes3.pdu import Address
from bacpypes3.primitivedata import ObjectIdentifier

from tests.ports import free_udp_port


class Panel:
    """Reads, writes and subscribes; use as an async context manager."""

    def __init__(self, port: int) -> None:
        self.device = Address(f"127.0.0.1:{port}")

    async def __aenter__(self) -> Self:
        own = NetworkPortObject(
            f"127.0.0.1:{free_udp_port()}",
            objectIdentifier=("network-port", 1),
            objectName="network",
            networkNumber=0,
            networkNumberQuality="unknown",
        )
        itself = DeviceObject(objectIdentifier=("device", 1), objectName="panel", vendorIdentifier=999)
        self.app = Application.from_object_list([itself, own])
        return self

    async def __aexit__(self, *_: object) -> None:
        self.app.close()
        await asyncio.sleep(0)

    async def find(self) -> int:
        """The device's instance, as it answers to Who-Is."""
        for _ in range(50):
            if found := await self.app.who_is(address=self.device, timeout=0.2):
                return int(found[0].iAmDeviceIdentifier[1])
        raise AssertionError("nobody answered to Who-Is")

    async def objects(self) -> dict[str, str]:
        """Names of the device's objects by identifier, but for the device and its port."""
        listed = await self.read(f"device,{await self.find()}", "object-list")
        told = [str(one) for one in listed if str(one[0]) not in {"device", "network-port"}]
        return {one: await self.read(one, "object-name") for one in told}

    async def read(self, thing: str, name: str) -> Any:
        return await self.app.read_property(self.device, ObjectIdentifier(thing), PropertyIdentifier(name))

    async def point(self, thing: str) -> tuple[Any, str, str]:
        """Value, status flags and reliability of an object, as text."""
        value = str(await self.read(thing, "present-value"))
        flags = str(await self.read(thing, "status-flags"))
        return value, flags, str(await self.read(thing, "reliability"))

    async def write(self, thing: str, name: str, value: Any) -> str:
        """What the device answers to an attempt to write."""
        try:
            refused = await self.app.write_property(self.device, thing, name, value)
        except ErrorRejectAbortNack as error:
            return str(error)
        return str(refused)

    @asynccontextmanager
    async def changes(self, thing: str, *, confirmed: bool = True) -> AsyncIterator["Changes"]:
        """Subscribe to an object."""
        subscription = self.app.change_of_value(
            self.device, ObjectIdentifier(thing), None, issue_confirmed_notifications=confirmed, lifetime=60
        )
        async with subscription as told:
            yield Changes(told)


class Changes:
    """Notices of one subscription."""

    def __init__(self, told: Any) -> None:
        self._told = told

    async def next(self) -> tuple[str, str]:
        """Value and status flags of the next notice."""
        found = {}
        for _ in range(2):
            name, value = await asyncio.wait_for(self._told.get_value(), 10)
            found[str(name)] = str(value)
        return found["present-value"], found["status-flags"]

    async def renew(self) -> None:
        """Subscribe again, as panels do before a subscription ends."""
        self._told.refresh_subscription_handle.cancel()
        await self._told.refresh_subscription()

    @property
    def empty(self) -> bool:
        return bool(self._told.queue.empty())
