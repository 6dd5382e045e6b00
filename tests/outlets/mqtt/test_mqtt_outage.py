"""The whole way, in real processes: a broker that is killed under load and forgets, and ourselves killed."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from service.events import EventType, Severity
from service.outlets.mqtt.settings import MqttSettings
from service.outlets.settings import OutletSettings
from service.settings import Settings
from service.store.engine import Store, open_store
from service.store.eventlog import read_head, site_id
from service.store.log import append_event
from service.store.schema import events, links, outlet_cursors, rooms, states
from tests.outlets.mqtt.broker import Broker
from tests.outlets.mqtt.home_assistant import HomeAssistant
from tests.outlets.mqtt.listener import Listener, retained
from tests.outlets.mqtt.views import state
from tests.service.running import PretendedWorker, link_facts, wait_for


class Site:
    """A store with rooms, and the process `roomtone outlets` over it."""

    def __init__(self, folder: Path, broker: Broker) -> None:
        outlets = OutletSettings(mqtt=MqttSettings(host="127.0.0.1", port=broker.port))
        self.settings = Settings(data_dir=folder, outlets=outlets)
        self.store: Store = open_store(self.settings.store_url)
        self.site = site_id(self.store)
        self._config = folder / "site.toml"
        self._config.write_text(
            f'data_dir = "{folder}"\n[outlets.mqtt]\nhost = "127.0.0.1"\nport = {broker.port}\n'
            "resend = 10000\nresend_gap_s = 0.5\n"
        )
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "service.cli", "outlets", "--config", str(self._config)]
        )

    def stop(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(20)
            self._process = None

    def topics(self) -> tuple[str, str]:
        """Filters of all that the site says."""
        return f"roomtone/{self.site}/#", f"homeassistant/+/roomtone-{self.site}/#"

    def put_room(self, room: str, **told: Any) -> None:
        """A room with a link of its name, occupied unless `told` says otherwise."""
        now_ns = time.time_ns()
        row = {"room": room, "revision": 1, "doc": {"tasks": ["presence"]}, "created_ns": now_ns}
        document = {"room": room, "task": "presence", "sequence": 1, "memory": {}, "received_ns": now_ns}
        with self.store.write() as connection:
            connection.execute(rooms.insert().values(**row, updated_ns=now_ns))
            values = {**document, "doc": state("presence", **told), "updated_ns": now_ns}
            connection.execute(states.insert().values(**values))
            link = {"link": room, "room": room, "nic": "auto", "revision": 1, "doc": {}}
            connection.execute(links.insert().values(**link, created_ns=now_ns, updated_ns=now_ns))

    def append(self, **data: Any) -> int:
        with self.store.write() as connection:
            return append_event(
                connection,
                EventType.ALERT_RAISED,
                room="lab",
                data=data,
                time_ns=time.time_ns(),
                severity=Severity.INFO,
            )

    def numbers(self) -> set[str]:
        """Ids of the events in the log that may leave."""
        with self.store.read() as connection:
            rows = connection.execute(select(events.c.sequence, events.c.data)).all()
        return {str(row.sequence) for row in rows if row.data.get("source") in {None, "live"}}

    def position(self) -> int | None:
        with self.store.read() as connection:
            query = select(outlet_cursors.c.sequence).where(outlet_cursors.c.outlet == "mqtt")
            return connection.execute(query).scalar()


@contextmanager
def adding(site: Site) -> Iterator[list[int]]:
    """Events appended as fast as the store takes them."""
    stop = threading.Event()
    added: list[int] = []

    def add() -> None:
        while not stop.is_set():
            added.append(site.append(alert_id=f"a{len(added)}", source="live"))
            stop.wait(0.002)

    thread = threading.Thread(target=add)
    thread.start()
    try:
        yield added
    finally:
        stop.set()
        thread.join()


@pytest.fixture
def site(tmp_path: Path, own_broker: Broker) -> Iterator[Site]:
    folder = tmp_path / "data"
    folder.mkdir()
    built = Site(folder, own_broker)
    yield built
    built.stop(signal.SIGKILL)
    built.store.close()


def test_no_event_is_lost_and_nothing_simulated_leaves(site: Site, own_broker: Broker) -> None:
    site.put_room("lab")
    site.put_room("demo", source="simulated")
    base = f"roomtone/{site.site}"
    with (
        PretendedWorker(site.settings) as worker,
        Listener(own_broker.port, *site.topics(), identifier="keeps", birth="homeassistant/status") as heard,
    ):
        worker.links = {
            "lab": link_facts("lab", source="live"),
            "demo": link_facts("demo", source="simulated"),
        }
        worker.drift = {"lab": 0.25, "demo": 0.5}
        site.start()
        wait_for(lambda: heard.newest().get(f"{base}/status") == "online", "the outlet")
        links = {room: f"{base}/rooms/{room}/links/{room}/state" for room in ("lab", "demo")}
        wait_for(lambda: heard.newest().get(links["lab"]) == '{"drift":0.25,"status":"ok"}', "the link")
        assert heard.newest()[links["demo"]] == '{"drift":null,"status":"unknown"}'
        assert heard.newest()[f"{base}/rooms/lab/tasks/presence/value"] == "occupied"
        assert heard.newest()[f"{base}/rooms/demo/tasks/presence/value"] == "unknown"
        site.append(alert_id="made up", source="simulated")
        with adding(site) as added:
            _broker_restarts(own_broker, heard, added)
            _broker_is_killed(site, own_broker, heard, added)
            _we_are_killed(site, heard, added)
            _all_are_killed(site, own_broker, heard, added)
        wait_for(lambda: site.position() == read_head(site.store), "the cursor at the end of the log")
        wait_for(lambda: site.numbers() <= heard.ids(), "every event")
        assert heard.ids() == site.numbers()
        assert not [one for one in heard.events() if one["data"].get("source") == "simulated"]
        site.stop(signal.SIGTERM)
        wait_for(lambda: heard.newest()[f"{base}/status"] == "offline", "good-bye")


def _broker_restarts(broker: Broker, heard: Listener, added: list[int]) -> None:
    """Nothing at all is lost where the broker keeps what it has acknowledged."""
    wait_for(lambda: len(heard.ids()) > 20, "events")
    broker.stop()
    before = len(added)
    wait_for(lambda: len(added) > before + 20, "events while the broker is away")
    broker.start()
    wait_for(lambda: set(map(str, added[:before])) <= heard.ids(), "every event from before")
    wait_for(lambda: len(heard.ids()) > before + 20, "events after it")


def _broker_is_killed(site: Site, broker: Broker, heard: Listener, added: list[int]) -> None:
    """It forgets all it had, who had subscribed included; and who had comes back later than we do."""
    kept = set(retained(broker.port, *site.topics()))
    heard.leave()
    broker.kill()
    broker.forget()
    before = len(added)
    wait_for(lambda: len(added) > before + 20, "events while the broker is away")
    broker.start()
    during = added[-1]
    wait_for(lambda: (site.position() or 0) > during, "events that nobody has subscribed to")
    missed = {str(number) for number in added if number <= during} - heard.ids()
    heard.come_back()
    wait_for(lambda: missed <= heard.ids(), "every event that was acknowledged and not passed on")
    now = set(retained(broker.port, *site.topics()))
    assert now == kept, now ^ kept


def _we_are_killed(site: Site, heard: Listener, added: list[int]) -> None:
    status = f"roomtone/{site.site}/status"
    site.stop(signal.SIGKILL)
    before = len(added)
    wait_for(lambda: heard.newest()[status] == "offline", "the last will")
    home = HomeAssistant()
    for topic, payload in heard.newest().items():
        home.take(topic, payload)
    assert set(home.states().values()) == {"unavailable"}
    wait_for(lambda: len(added) > before + 20, "events while the outlet is away")
    site.start()
    wait_for(lambda: heard.newest()[status] == "online", "the outlet again")
    wait_for(lambda: set(map(str, added[:before])) <= heard.ids(), "every event from before")


def _all_are_killed(site: Site, broker: Broker, heard: Listener, added: list[int]) -> None:
    """A power cut: the broker loses what it acknowledged, and we what we knew of that."""
    before = len(added)
    wait_for(lambda: len(added) > before + 20, "events under way")
    broker.kill()
    site.stop(signal.SIGKILL)
    broker.forget()
    broker.start()
    site.start()
