"""Broadcasts where they are set, and a BBMD to register with; over real sockets on loopback."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from bacpypes3.app import Application
from bacpypes3.basetypes import IPMode
from bacpypes3.local.device import DeviceObject
from bacpypes3.local.networkport import NetworkPortObject
from pydantic import ValidationError
from structlog.testing import capture_logs

from service.outlets.bacnet.settings import BacnetSettings
from tests.outlets.bacnet.site import Site
from tests.ports import free_udp_port

WHO_IS = bytes.fromhex("810b000c0120ffff00ff1008")  # Original-Broadcast-NPDU, to all networks
WHO_IS_ALONE = bytes.fromhex("810a000801001008")  # Original-Unicast-NPDU
I_AM = bytes.fromhex("1000c40200004d")  # device 77


@contextmanager
def ear(host: str, port: int) -> Iterator[socket.socket]:
    """A socket that may share its port and send broadcasts."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as opened:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        opened.bind((host, port))
        opened.setblocking(False)
        yield opened


async def hear(opened: socket.socket) -> bytes:
    return await asyncio.wait_for(asyncio.get_running_loop().sock_recv(opened, 2000), 10)


async def test_with_a_subnet_the_device_is_found_by_broadcast(tmp_path: Path) -> None:
    site = Site(tmp_path, address="127.0.0.2/8", device_instance=77)
    with ear("127.255.255.255", site.port) as everybody, ear("127.0.0.3", 0) as panel:
        async with site.outlet:
            await site.show()
            assert I_AM in await hear(everybody), "it says I-Am when it starts"
            panel.sendto(WHO_IS, ("127.255.255.255", site.port))
            assert I_AM in await hear(panel)
    site.store.close()


async def test_without_a_subnet_nothing_is_broadcast(tmp_path: Path) -> None:
    site = Site(tmp_path, address="127.0.0.2", device_instance=77)
    with ear("127.255.255.255", site.port) as everybody, ear("127.0.0.3", 0) as panel:
        async with site.outlet:
            await site.show()
            panel.sendto(WHO_IS_ALONE, ("127.0.0.2", site.port))
            assert I_AM in await hear(panel), "who asks it directly is answered"
            with pytest.raises(BlockingIOError):
                everybody.recv(2000)
    site.store.close()


async def test_a_foreign_device_registers_and_says_good_bye(tmp_path: Path) -> None:
    port = free_udp_port()
    bbmd = Application.from_object_list(
        [
            DeviceObject(objectIdentifier=("device", 5), objectName="bbmd", vendorIdentifier=999),
            bbmd_port(port),
        ]
    )
    layer = next(iter(bbmd.link_layers.values()))
    site = Site(tmp_path, bbmd=f"127.0.0.1:{port}", bbmd_ttl_s=120)
    async with site.outlet:
        await site.show()
        await until(lambda: [(str(one.fdAddress), one.fdTTL) for one in layer.bbmdFDT])
        assert [(str(one.fdAddress), one.fdTTL) for one in layer.bbmdFDT] == [(f"127.0.0.1:{site.port}", 120)]
    await until(lambda: not layer.bbmdFDT)
    bbmd.close()
    site.store.close()


async def test_a_bbmd_that_is_silent_is_said_once(tmp_path: Path) -> None:
    site = Site(tmp_path, bbmd=f"127.0.0.1:{free_udp_port()}")
    with capture_logs() as logs:
        async with site.outlet:
            for _ in range(4):
                await site.show()
    assert [one["registered"] for one in logs if one["event"] == "bacnet_bbmd"] == [False]
    site.store.close()


def bbmd_port(port: int) -> Any:
    made = NetworkPortObject(
        f"127.0.0.1:{port}",
        objectIdentifier=("network-port", 1),
        objectName="network",
        networkNumber=0,
        networkNumberQuality="unknown",
    )
    made.bacnetIPMode = IPMode.bbmd
    made.bbmdAcceptFDRegistrations = True
    made.bbmdForeignDeviceTable = []
    made.bbmdBroadcastDistributionTable = []
    return made


async def until(look: Any) -> None:
    async with asyncio.timeout(10):
        while not look():  # noqa: ASYNC110 - another's object, which tells nobody
            await asyncio.sleep(0.01)


@pytest.mark.parametrize(
    "section",
    [
        {"address": "0.0.0.0/0"},
        {"address": "panel.local"},
        {"address": "::1"},
        {"address": "10.0.0.5/40"},
        {"address": "127.0.0.1", "bbmd": "somewhere:1"},
        {"address": "127.0.0.1", "bbmd": "10.0.0.1:0"},
        {"address": "127.0.0.1", "bbmd": "10.0.0.1:x"},
        {"address": "127.0.0.1", "on_unknown": "vacant"},
        {"address": "127.0.0.1", "device_instance": 4194303},
    ],
)
def test_settings_that_cannot_be_are_refused(section: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        BacnetSettings(**section)
