"""The device, read back by a BACnet client."""

import asyncio
import random
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from bacpypes3.apdu import WritePropertyMultipleError, WritePropertyMultipleRequest
from bacpypes3.basetypes import BinaryPV, PropertyValue, WriteAccessSpecification
from bacpypes3.constructeddata import Any as AnyValue

from service.outlets.bacnet import gateway
from service.outlets.port import OutletError
from tests.outlets.bacnet.panel import Panel
from tests.outlets.bacnet.site import Site

LIVE = ("", "no-fault-detected")


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """Two rooms on the network: one known to be vacant, one that nothing was ever heard of."""
    site = Site(tmp_path)
    site.put_room("lab", name="Lab 3")
    site.put_room("hall", tasks=["presence"])
    site.put_state("lab", "presence", "vacant")
    site.put_state("lab", "counting", 0)
    async with site.outlet:
        await site.show()
        yield site
    site.store.close()


@pytest.fixture
async def panel(site: Site) -> AsyncIterator[Panel]:
    async with Panel(site.port) as panel:
        yield panel


async def test_every_room_has_its_objects(panel: Panel) -> None:
    assert await panel.objects() == {
        "binary-input,1": "hall/occupancy",
        "multi-state-value,1": "hall/alarm",
        "binary-input,2": "lab/occupancy",
        "analog-input,2": "lab/people",
        "multi-state-value,2": "lab/alarm",
    }
    assert await panel.read("binary-input,2", "description") == "Lab 3: occupancy"
    assert await panel.read("binary-input,2", "inactive-text") == "vacant"
    assert await panel.read("binary-input,2", "active-text") == "occupied"
    assert await panel.read("multi-state-value,2", "state-text") == ["normal", "info", "warning", "critical"]
    assert str(await panel.read("analog-input,2", "units")) == "no-units"


async def test_the_device_says_who_it_is_and_claims_no_more_than_it_does(panel: Panel) -> None:
    device = f"device,{await panel.find()}"
    assert await panel.read(device, "object-name") == f"roomtone-{device.split(',')[1]}"
    services = str(await panel.read(device, "protocol-services-supported")).split(";")
    assert set(services) == {
        "subscribe-cov",
        "read-property",
        "read-property-multiple",
        "read-range",
        "who-has",
        "who-is",
    }
    types = str(await panel.read(device, "protocol-object-types-supported")).split(";")
    told = {one.split(",")[0] for one in await panel.objects()}
    assert set(types) == told | {"device", "network-port"}


async def test_values_flags_and_reliability(site: Site, panel: Panel) -> None:
    assert await panel.point("binary-input,2") == ("inactive", *LIVE)
    assert await panel.point("analog-input,2") == ("0.0", *LIVE)
    assert await panel.point("multi-state-value,2") == ("1", *LIVE)
    assert await panel.point("binary-input,1") == ("active", "fault", "no-sensor")
    site.put_state("lab", "presence", "occupied")
    site.put_state("lab", "counting", 7)
    site.put_alert("lab", "info", source="live")
    site.put_alert("lab", "critical", source="live")
    await site.show()
    assert await panel.point("binary-input,2") == ("active", *LIVE)
    assert await panel.point("analog-input,2") == ("7.0", *LIVE)
    assert await panel.point("multi-state-value,2") == ("4", *LIVE)


async def test_a_silent_worker_is_a_fault_on_every_point_and_values_are_held(
    site: Site, panel: Panel
) -> None:
    site.watch._newest.clear()
    await site.show()
    assert await panel.point("binary-input,2") == ("inactive", "fault", "communication-failure")
    assert await panel.point("analog-input,2") == ("0.0", "fault", "communication-failure")
    assert await panel.point("multi-state-value,2") == ("1", "fault", "communication-failure")
    assert await panel.point("binary-input,1") == ("active", "fault", "communication-failure")


async def test_paused_is_out_of_service(site: Site, panel: Panel) -> None:
    for task in ("presence", "counting"):
        site.put_state("lab", task, None, status="paused")
    await site.show()
    for thing in ("binary-input,2", "analog-input,2", "multi-state-value,2"):
        assert (await panel.point(thing))[1:] == ("out-of-service", "no-fault-detected")


async def test_what_is_not_live_is_not_told(site: Site, panel: Panel) -> None:
    site.put_state("lab", "presence", "occupied", source="simulated")
    site.put_alert("lab", "critical", source="replay")
    await site.show()
    assert await panel.point("binary-input,2") == ("inactive", "fault", "unreliable-other")
    assert await panel.point("multi-state-value,2") == ("1", "fault", "unreliable-other")


async def test_what_is_not_live_is_marked_where_it_is_allowed(site: Site, panel: Panel) -> None:
    site.allow_non_live = True
    site.put_state("lab", "presence", "occupied", source="simulated")
    await site.show()
    assert await panel.point("binary-input,2") == ("active", "fault", "unreliable-other")
    assert await panel.read("binary-input,2", "description") == "Lab 3: occupancy (simulated)"


@pytest.mark.parametrize("confirmed", [True, False])
async def test_subscribers_hear_of_values_and_of_flags_alone(
    site: Site, panel: Panel, *, confirmed: bool
) -> None:
    async with (
        panel.changes("binary-input,2", confirmed=confirmed) as occupancy,
        panel.changes("analog-input,2", confirmed=confirmed) as people,
        panel.changes("multi-state-value,2", confirmed=confirmed) as alarm,
    ):
        assert await occupancy.next() == ("inactive", "")
        assert await people.next() == ("0.0", "")
        assert await alarm.next() == ("1", "")
        site.put_state("lab", "counting", 1)
        await site.show()
        assert await people.next() == ("1.0", "")
        site.put_state("lab", "presence", None, status="unknown", reason="stale")
        await site.show()
        assert await occupancy.next() == ("inactive", "fault")
        assert await alarm.next() == ("1", "fault")
        await site.show()  # nothing changed: nothing is sent
        site.put_state("lab", "presence", "occupied")
        await site.show()
        assert await occupancy.next() == ("active", "")
        assert people.empty


async def test_nobody_may_write(site: Site, panel: Panel) -> None:
    device = f"device,{await panel.find()}"
    for thing, name, value in (
        ("binary-input,2", "present-value", "active"),
        ("multi-state-value,2", "out-of-service", True),
        ("analog-input,2", "cov-increment", 5.0),
        (device, "object-name", "mine"),
    ):
        assert "write-access-denied" in await panel.write(thing, name, value)
    assert "unknown-object" in await panel.write("binary-input,77", "present-value", "active")
    assert await panel.point("binary-input,2") == ("inactive", *LIVE)


async def test_nobody_may_write_several_either(panel: Panel) -> None:
    value = PropertyValue(propertyIdentifier="present-value", value=AnyValue(BinaryPV("active")))
    wanted = WriteAccessSpecification(objectIdentifier="binary-input,2", listOfProperties=[value])
    with pytest.raises(WritePropertyMultipleError) as refused:
        await panel.app.request(
            WritePropertyMultipleRequest(listOfWriteAccessSpecs=[wanted], destination=panel.device)
        )
    assert str(refused.value.errorType.errorCode) == "write-access-denied"
    assert str(refused.value.firstFailedWriteAttempt.objectIdentifier) == "binary-input,2"


async def test_rooms_come_and_go_and_numbers_are_never_given_twice(site: Site, panel: Panel) -> None:
    device = f"device,{await panel.find()}"
    before = await panel.read(device, "database-revision")
    async with panel.changes("binary-input,2") as told:
        await told.next()
        site.delete_room("lab")
        await site.show()
        assert set((await panel.objects()).values()) == {"hall/occupancy", "hall/alarm"}
    site.put_room("lab")
    site.put_room("attic")
    await site.show()
    names = await panel.objects()
    assert names["binary-input,3"] == "attic/occupancy"
    assert names["binary-input,4"] == "lab/occupancy"
    assert "binary-input,2" not in names
    assert await panel.read(device, "database-revision") == before + 2


async def test_another_name_of_a_room_is_the_same_object(site: Site, panel: Panel) -> None:
    device = f"device,{await panel.find()}"
    before = await panel.read(device, "database-revision")
    async with panel.changes("binary-input,2") as told:
        await told.next()
        site.put_room("lab", name="Lab 4")
        site.put_state("lab", "presence", "occupied")
        await site.show()
        assert await told.next() == ("active", "")
    assert await panel.read("binary-input,2", "description") == "Lab 4: occupancy"
    assert await panel.read(device, "database-revision") == before


async def test_rubbish_hurts_nobody(site: Site, panel: Panel) -> None:
    rng = random.Random(5)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        for length in range(300):
            head = b"\x81\x0a" + (4 + length).to_bytes(2, "big") if length % 2 else b""
            sender.sendto(head + rng.randbytes(length), ("127.0.0.1", site.port))
            await asyncio.sleep(0)
    assert await panel.point("binary-input,2") == ("inactive", *LIVE)


async def test_subscriptions_have_a_bound(site: Site, panel: Panel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway, "MAX_SUBSCRIPTIONS", 1)
    async with panel.changes("binary-input,2") as told:
        await told.next()
        with pytest.raises(BaseException, match="no-space-to-add-list-element"):
            async with panel.changes("binary-input,1"):
                pass
        await told.renew()
        assert await told.next() == ("inactive", "")


async def test_a_port_that_is_taken_is_said(tmp_path: Path) -> None:
    site = Site(tmp_path)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", site.port))
        with pytest.raises(OutletError, match="Address already in use"):
            await site.outlet.__aenter__()
    site.store.close()


async def test_nothing_is_told_before_the_worker_may_have_been_heard(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.put_room("lab")
    site.watch._newest.clear()
    async with site.outlet:
        await site.show()
        assert site.outlet._served is None
        site.watch.hear({"part": "worker"})
        await site.show()
        async with Panel(site.port) as panel:
            assert await panel.point("binary-input,1") == ("active", "fault", "no-sensor")
    site.store.close()
