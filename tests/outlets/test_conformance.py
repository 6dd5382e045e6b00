"""What every outlet must do, over the registry: settings turn it on, it survives a peer that is not there,
it can be entered again, and what it was given reaches a real peer.
"""

import asyncio
import socket
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from service.outlets.bacnet.settings import BacnetSettings
from service.outlets.mqtt.settings import MqttSettings
from service.outlets.port import Outlet, OutletError, SiteView
from service.outlets.registry import OUTLETS, build, configured, has_any
from service.outlets.settings import OutletSettings, WebhookSettings
from service.outlets.syslog.settings import SyslogSettings
from service.outlets.views import Views
from service.outlets.webhooks.outlet import WebhookOutlet
from service.outlets.webhooks.shop import Shop
from service.settings import Settings
from service.store.engine import Store, open_store
from service.store.eventlog import StoredEvent, read_events
from service.view.watch import Watch
from tests.outlets.mqtt.broker import Broker, need_mosquitto
from tests.outlets.mqtt.listener import Listener
from tests.outlets.peers import Receiver
from tests.outlets.rsyslog import Rsyslog
from tests.outlets.site import append, hook
from tests.service.running import wait_for


@dataclass(frozen=True)
class Case:
    """An outlet's settings, its peer, and how many messages of events the peer got (None: it gets none)."""

    outlets: OutletSettings
    peer: Callable[[], AbstractContextManager[object]]
    count: Callable[[], int] | None


def mqtt(folder: Path) -> Case:
    need_mosquitto()
    broker, heard = Broker(folder), []

    @contextmanager
    def listened_to() -> Iterator[None]:
        with broker, Listener(broker.port, "roomtone/#") as listener:
            heard.append(listener)
            yield

    section = MqttSettings(host="127.0.0.1", port=broker.port)
    return Case(OutletSettings(mqtt=section), listened_to, lambda: len(heard[0].events()))


def bacnet(folder: Path) -> Case:
    """The peer is the network: an address that another process holds, then one that is free."""
    del folder
    taken = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    taken.bind(("127.0.0.1", 0))

    @contextmanager
    def free() -> Iterator[None]:
        taken.close()
        yield

    section = BacnetSettings(address="127.0.0.1", port=taken.getsockname()[1])
    return Case(OutletSettings(bacnet=section), free, None)


def syslog(folder: Path) -> Case:
    collector = Rsyslog(folder)
    section = SyslogSettings(host="localhost", port=collector.port, ca_file=collector.certificate)
    return Case(OutletSettings(syslog=section), lambda: collector, lambda: len(collector.messages()))


def webhooks(folder: Path) -> Case:
    receiver = Receiver(folder)
    section = WebhookSettings(allow_private=True, ca_file=receiver.certificate)
    return Case(OutletSettings(webhooks=section), lambda: receiver, lambda: len(receiver.events()))


CASES = {"mqtt": mqtt, "bacnet": bacnet, "syslog": syslog, "webhooks": webhooks}


def make(name: str, case: Case, folder: Path, store: Store) -> Outlet:
    settings = Settings(data_dir=folder, outlets=case.outlets)
    if name == "webhooks":
        receiver = case.peer()
        assert isinstance(receiver, Receiver)
        return WebhookOutlet(hook(settings, receiver.url())[0], Shop.open(settings, store))
    assert configured(settings) == [name]
    (outlet,) = build(settings, store)
    assert outlet.name == name, "its cursor goes by the section's name"
    return outlet


def test_every_outlet_has_a_case_and_is_off_by_default(tmp_path: Path) -> None:
    assert set(CASES) == {*OUTLETS, "webhooks"}
    assert configured(Settings(data_dir=tmp_path)) == []
    without = OutletSettings(webhooks=WebhookSettings(enabled=False))
    assert has_any(Settings(data_dir=tmp_path)), "webhooks may be made at any time"
    assert not has_any(Settings(data_dir=tmp_path, outlets=without))


@pytest.mark.parametrize("name", CASES)
async def test_an_outlet_keeps_the_contract(name: str, tmp_path: Path) -> None:
    folder = tmp_path / "peer"
    folder.mkdir()
    case = CASES[name](folder)
    store = open_store(Settings(data_dir=tmp_path).store_url)
    outlet = make(name, case, tmp_path, store)  # nobody is there yet: making it reaches for nobody
    append(store, 3)
    events = read_events(store, after=0, limit=10).events
    view = await Views(store, Watch(), allow_non_live=False).current()
    with pytest.raises(OutletError):
        await visit(outlet, events, view)
    with case.peer():
        await visit(outlet, events, view)
        await visit(outlet, events, view)
        if case.count is not None:
            count = case.count
            await asyncio.to_thread(wait_for, lambda: count() >= 6, "events of both visits")
    store.close()


async def visit(outlet: Outlet, events: Sequence[StoredEvent], view: SiteView) -> None:
    async with outlet:
        await outlet.show(view)
        await outlet.deliver(events)
        await outlet.show(view)
