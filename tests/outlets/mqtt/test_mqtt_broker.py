"""The outlet against a real mosquitto: what it keeps, what is cleared, what it refuses."""

import asyncio
import json
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from service.errors import ServiceError
from service.outlets.mqtt.outlet import MqttOutlet
from service.outlets.mqtt.settings import MqttSettings, MqttTls
from service.outlets.port import OutletError
from service.store.eventlog import StoredEvent
from tests.outlets.mqtt.broker import PASSWORD, USER, Broker
from tests.outlets.mqtt.home_assistant import HomeAssistant
from tests.outlets.mqtt.listener import Listener, retained
from tests.outlets.mqtt.views import lost_state, room_view, state, view
from tests.ports import free_port
from tests.service.running import wait_for

EVENT = StoredEvent(41, 10**18, "org.roomtone.alert.raised", "lab", "critical", {"alert_id": "a1"})


def settings(broker: Broker, **more: Any) -> MqttSettings:
    return MqttSettings.model_validate({"host": "127.0.0.1", "port": broker.port, **more})


def outlet(broker: Broker, site: str, **more: Any) -> MqttOutlet:
    return MqttOutlet(settings(broker, **more), site)


def run(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(work())


def home_of(broker: Broker, site: str) -> HomeAssistant:
    """Home Assistant just started: it gets what the broker keeps."""
    home = HomeAssistant()
    kept = retained(broker.port, f"homeassistant/+/roomtone-{site}/+/config", f"roomtone/{site}/#")
    for topic, message in kept.items():
        home.take(topic, message.payload.decode())
    return home


async def settled(one: MqttOutlet, *rooms: Any, look: Callable[[], bool]) -> None:
    """Show the view again and again, as the frame does, until it is so."""
    async with asyncio.timeout(20):
        while not await asyncio.to_thread(look):
            await one.show(view(*rooms))
            await asyncio.sleep(0.02)


def test_who_comes_late_gets_the_truth_and_after_good_bye_nothing_is_said_to_be_off(broker: Broker) -> None:
    site = "a1"

    async def work() -> None:
        async with outlet(broker, site) as one:
            await one.show(view(room_view("lab")))
            states = home_of(broker, site).states()
            assert states["lab/Occupancy"] == "on"
            assert states["lab/People"] == "3"
            kept = retained(broker.port, f"roomtone/{site}/#")
            assert kept[f"roomtone/{site}/rooms/lab/tasks/presence/value"].payload == b"occupied"
            whole = json.loads(kept[f"roomtone/{site}/rooms/lab/tasks/counting/state"].payload)
            assert (whole["value"], whole["interval"]) == (3, [2, 5])
            for topic, message in kept.items():
                life_s = getattr(message.properties, "MessageExpiryInterval", None)
                assert (life_s is None) == topic.endswith(("/availability", "/status")), topic
                assert life_s is None or 0 < life_s <= 30
        assert set(home_of(broker, site).states().values()) == {"unavailable"}

    run(work)


def test_unknown_stays_unknown_over_the_broker(broker: Broker) -> None:
    site = "a2"
    lost = [lost_state("presence", "unknown", "stale"), lost_state("counting", "unknown", "not_live")]

    async def work() -> None:
        async with outlet(broker, site) as one:
            await one.show(view(room_view("lab", *lost, links={})))
            assert set(home_of(broker, site).states().values()) == {"unknown"}
            kept = retained(broker.port, f"roomtone/{site}/#")
            assert kept[f"roomtone/{site}/rooms/lab/tasks/counting/value"].payload == b"unknown"

    run(work)


def test_only_what_changed_is_sent_and_all_of_it_when_home_assistant_starts(broker: Broker) -> None:
    site = "a3"
    more = room_view("lab", state("counting", value=4, interval=[3, 5]), links={})

    async def work() -> None:
        with Listener(broker.port, f"roomtone/{site}/#", f"homeassistant/+/roomtone-{site}/#") as heard:
            async with outlet(broker, site, birth_topic=f"{site}/status") as one:
                await one.show(view(room_view("lab", state("counting"), links={})))
                wait_for(lambda: heard.newest().get(f"roomtone/{site}/status") == "online", "everything")
                assert len(heard.messages) == len(heard.newest()) == 5
                await one.show(view(room_view("lab", state("counting", probability=0.8), links={})))
                await one.show(view(more))
                wait_for(lambda: len(heard.messages) > 6, "what changed")
                changed = [message.topic.rpartition("/")[2] for message in heard.messages[5:]]
                assert changed == ["state", "value"]
                await asyncio.to_thread(heard.publish, f"{site}/status", "online")
                await settled(one, more, look=lambda: len(heard.messages) >= 7 + 5)
                assert {message.topic for message in heard.messages[7:]} == set(heard.newest())

    run(work)


def test_a_deleted_room_is_cleared_even_if_nobody_was_there_when_it_went(broker: Broker) -> None:
    site = "a4"
    mine = (f"homeassistant/+/roomtone-{site}/+/config", f"roomtone/{site}/rooms/#")

    async def work() -> None:
        async with outlet(broker, site) as one, outlet(broker, "a4other") as other:
            await one.show(view(room_view("lab"), room_view("den"), room_view("attic")))
            await other.show(view(room_view("den")))
            await one.show(view(room_view("lab"), room_view("den")))
            assert not [topic for topic in retained(broker.port, *mine) if "attic" in topic]
        async with outlet(broker, site) as one:  # another process: it knows nothing of what was before
            await settled(
                one,
                room_view("lab", state("presence"), links={}),
                look=lambda: not [topic for topic in retained(broker.port, *mine) if "den" in topic],
            )
            home = home_of(broker, site)
            assert set(home.states()) == {"lab/Occupancy", "lab/Motion"}
        assert len(home_of(broker, "a4other").configs) == 9
        async with outlet(broker, site, discovery=False) as one:
            await settled(one, room_view("lab"), look=lambda: not home_of(broker, site).configs)

    run(work)


def test_events_are_cloud_events(broker: Broker) -> None:
    site = "a5"

    async def work() -> None:
        with Listener(broker.port, f"roomtone/{site}/events/#") as heard:
            async with outlet(broker, site) as one:
                await one.deliver([EVENT])
            wait_for(lambda: heard.messages, "the event")
        (message,) = heard.messages
        assert message.topic == f"roomtone/{site}/events/alert/raised/lab"
        assert not message.retain
        assert message.properties is not None
        assert message.properties.ContentType.startswith("application/cloudevents+json")  # type: ignore[attr-defined]
        document = json.loads(message.payload)
        assert document["id"] == "41"
        assert document["source"] == f"urn:roomtone:site:{site}"
        assert document["subject"] == "lab"
        assert document["data"] == {"alert_id": "a1", "severity": "critical"}

    run(work)


def test_a_topic_that_the_broker_refuses_is_trouble_and_not_delivered(broker: Broker, tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text(f"{PASSWORD}\n")
    login = {"port": broker.guarded, "username": USER, "password_file": secret}

    async def work() -> None:
        async with outlet(broker, "a6", prefix="allowed", **login) as one:
            await one.deliver([EVENT])
        status = "roomtone/a6/status"
        async with outlet(broker, "a6", **login) as one:
            await one.show(view())
            assert retained(broker.port, status)[status].payload == b"online"
            with pytest.raises(OutletError, match=r"refused.*Not authorized.*access rules"):
                await one.deliver([EVENT])
        assert retained(broker.port, status)[status].payload == b"offline"
        secret.write_text("wrong")
        with pytest.raises(OutletError, match=r"cannot be used.*Not authorized"):
            await outlet(broker, "a6", **login).__aenter__()
        wrong = outlet(broker, "a6", **login)
        secret.unlink()
        with pytest.raises(OutletError, match="password_file cannot be read"):
            await wrong.__aenter__()

    run(work)


# After a handshake that failed paho leaves the socket to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_tls(broker: Broker) -> None:
    async def work() -> None:
        async with outlet(
            broker, "a7", host="localhost", port=broker.tls, tls={"ca": broker.certificate}
        ) as one:
            await one.show(view(room_view("lab")))
        assert len(home_of(broker, "a7").configs) == 9
        with pytest.raises(OutletError, match="certificate verify failed"):
            await outlet(broker, "a7", host="localhost", port=broker.tls, tls={}).__aenter__()

    run(work)


def test_nobody_there() -> None:
    async def work() -> None:
        port = free_port()
        with pytest.raises(OutletError, match=f"127.0.0.1:{port} cannot be used.*refused"):
            await MqttOutlet(MqttSettings(host="127.0.0.1", port=port), "a8").__aenter__()

    run(work)


def test_settings_that_cannot_work_are_told_at_the_start(tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("nothing")
    for tls in (MqttTls(ca=tmp_path / "missing.pem"), MqttTls(cert=empty)):
        with pytest.raises(ServiceError, match=r"outlets.mqtt.tls cannot be used"):
            MqttOutlet(MqttSettings(host="127.0.0.1", tls=tls), "a9")
    with pytest.raises(ServiceError, match="password_file cannot be read"):
        MqttOutlet(MqttSettings(host="localhost", username="u", password_file=tmp_path / "no"), "a9")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"host": "10.0.0.2"}, "without TLS"),
        ({"host": "broker.example"}, "insecure = true"),
        ({"host": "::1", "password_file": "x"}, "username is not"),
        ({"host": "::1", "tls": {"key": "x"}}, "cert is not"),
        ({"host": "::1", "prefix": "a/#"}, "pattern"),
        ({"host": "::1", "prefix": "/a"}, "pattern"),
        ({"host": "::1", "qos": 0}, "Extra inputs"),
    ],
)
def test_settings_that_are_refused(wrong: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MqttSettings.model_validate(wrong)
