"""The pages on MQTT, Home Assistant and Node-RED: what people copy from them works as it stands."""

import asyncio
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
import yaml
from jinja2.sandbox import ImmutableSandboxedEnvironment

from models.task_names import BUILT_IN
from service.api.asyncapi import asyncapi_document
from service.configuration.load import load
from service.outlets.mqtt.entities import TASKS
from service.outlets.mqtt.events import publication
from service.outlets.mqtt.outlet import MqttOutlet
from service.outlets.mqtt.settings import MqttSettings
from service.outlets.mqtt.told import told
from service.outlets.mqtt.topics import Topics
from service.store.eventlog import StoredEvent
from tests.outlets.mqtt.broker import PASSWORD, USER, Broker, need_mosquitto
from tests.outlets.mqtt.home_assistant import HomeAssistant
from tests.outlets.mqtt.listener import retained
from tests.outlets.mqtt.views import SITE, room_view, state, view

PAGES = Path(__file__).parents[3] / "docs" / "integrations"
MQTT, HOME, FLOWS = ((PAGES / name).read_text() for name in ("mqtt.md", "home-assistant.md", "node-red.md"))
TOPICS = Topics("roomtone", "homeassistant", SITE)
ALERT = StoredEvent(
    41, 10**18, "org.roomtone.alert.raised", "lobby", "critical", {"rule": "suspicious_object"}
)


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)


def published() -> dict[str, str]:
    """What the outlet publishes of a lobby, and an alert there."""
    event = publication(ALERT, TOPICS)
    kept = {one.topic: one.payload for one in told(view(room_view("lobby", name="Lobby")), TOPICS)}
    return {**kept, event.topic: event.payload}


@pytest.mark.parametrize("page", [MQTT, HOME])
def test_settings_are_valid(page: str, tmp_path: Path) -> None:
    config = tmp_path / "site.toml"
    config.write_text(blocks(page, "toml")[0])
    assert load(config, {}).settings.outlets.mqtt is not None


def test_the_table_of_topics_is_that_of_the_published_document() -> None:
    document = asyncapi_document(MqttSettings(host="localhost"))
    addresses = [
        channel["address"].removeprefix("roomtone/{site}/")
        for name, channel in document["channels"].items()
        if name not in {"alertStream", "discovery"}
    ]
    rows = re.findall(r"^\| `([a-zA-Z/]+)` \| (?:yes|no) \|", MQTT, re.MULTILINE)
    assert sorted(rows) == sorted(re.sub(r"\{(\w+)\}", lambda m: m[1].upper(), one) for one in addresses)


def test_the_rights_that_the_page_gives_us_are_enough(tmp_path: Path) -> None:
    need_mosquitto()
    (rights,) = blocks(MQTT, "text")
    secret = tmp_path / "password"
    secret.write_text(PASSWORD)

    async def work(broker: Broker) -> None:
        settings = MqttSettings(host="127.0.0.1", port=broker.guarded, username=USER, password_file=secret)
        async with MqttOutlet(settings, SITE) as outlet:
            await outlet.show(view(room_view("lobby"), room_view("den")))
            await outlet.deliver([ALERT])
        async with MqttOutlet(settings, SITE) as outlet:
            async with asyncio.timeout(20):
                while await asyncio.to_thread(
                    lambda: [one for one in retained(broker.port, "#") if "den" in one]
                ):
                    await outlet.show(view(room_view("lobby")))

    with Broker(tmp_path, rights) as broker:
        asyncio.run(work(broker))


def test_commands_of_mosquitto(broker: Broker) -> None:
    if shutil.which("mosquitto_sub") is None:
        pytest.skip("needs mosquitto_sub (Debian: mosquitto-clients)")

    async def work() -> str:
        async with MqttOutlet(MqttSettings(host="127.0.0.1", port=broker.port), "docs") as outlet:
            await outlet.show(view(room_view("lobby", state("presence"))))
        command = blocks(MQTT, "sh")[0].splitlines()[0].replace("1883", str(broker.port))
        words = command.replace("-W 2", "-C 1 -W 20").replace("'", "").split()
        done = await asyncio.to_thread(subprocess.run, words, capture_output=True, text=True, check=True)
        return str(done.stdout)

    assert "/rooms/" in asyncio.run(work())
    for line in blocks(MQTT, "sh")[0].splitlines():
        assert heard(line.rpartition("-t ")[2].strip("'")), line


def heard(topic_filter: str) -> list[str]:
    """Topics of what is published that fit a filter."""
    return [topic for topic in published() if paho.topic_matches_sub(topic_filter, topic)]


def test_the_table_of_entities_is_that_of_discovery() -> None:
    rows = re.findall(r"^\| `(\w+)` \| ([\w ]+) \| `(\w+)` \| `?(\w*)`? ?\|", HOME, re.MULTILINE)
    known = [
        (task, one.name, one.platform, one.more.get("device_class", ""))
        for task in BUILT_IN
        for one in TASKS[task]
    ]
    assert sorted(rows) == sorted(known)


def test_automations_name_what_there_is() -> None:
    lights, notice = yaml.safe_load(blocks(HOME, "yaml")[0])
    home = HomeAssistant()
    for topic, payload in published().items():
        home.take(topic, payload)
    slugs = {name.lower().replace("/", "_").replace(" ", "_") for name in home.states()}
    (trigger,) = lights["triggers"]
    assert trigger["entity_id"].removeprefix("binary_sensor.") in slugs
    (trigger,) = notice["triggers"]
    (topic,) = heard(trigger["topic"])
    event = json.loads(published()[topic])
    jinja = ImmutableSandboxedEnvironment()
    assert jinja.from_string(trigger["value_template"]).render(value_json=event) == trigger["payload"]
    said = {
        name: jinja.from_string(text).render(trigger={"payload_json": event})
        for name, text in notice["actions"][0]["data"].items()
    }
    assert said["title"] == "lobby"
    assert said["message"].startswith("suspicious_object, 2001-09-09T01:46:40")


def test_a_sensor_over_rest_is_unavailable_where_nothing_is_known() -> None:
    text = blocks(HOME, "yaml")[1].replace("!secret ", "")
    (sensor,) = yaml.safe_load(text)["rest"][0]["binary_sensor"]
    jinja = ImmutableSandboxedEnvironment()
    for value, status, shown in (
        ("occupied", "ok", "True"),
        ("vacant", "ok", "False"),
        (None, "unknown", None),
    ):
        told_as = {"value_json": state("presence", value=value, status=status)}
        assert jinja.from_string(sensor["availability"]).render(told_as) == str(status == "ok")
        if shown is not None:
            assert jinja.from_string(sensor["value_template"]).render(told_as) == shown


def flow() -> list[dict[str, Any]]:
    (text,) = blocks(FLOWS, "json")
    nodes: list[dict[str, Any]] = json.loads(text)
    return nodes


def test_the_flow_of_node_red_is_whole_and_names_what_there_is() -> None:
    nodes = {node["id"]: node for node in flow()}
    assert len(nodes) == len(flow())
    for node in nodes.values():
        assert {target for wire in node.get("wires", []) for target in wire} <= set(nodes)
        assert node.get("z", "rt-tab") == "rt-tab"
        if node["type"] == "mqtt in":
            assert nodes[node["broker"]]["type"] == "mqtt-broker"
            assert heard(node["topic"]), node["topic"]


@pytest.mark.parametrize(
    ("value", "passed_on"), [("occupied", True), ("vacant", False), ("unknown", None), ("paused", None)]
)
def test_the_function_of_node_red_never_takes_unknown_for_vacant(value: str, passed_on: bool | None) -> None:
    if shutil.which("node") is None:
        pytest.skip("needs node (Debian: nodejs)")
    (function,) = [node["func"] for node in flow() if node["id"] == "rt-known"]
    msg = {"topic": TOPICS.task("lobby", "presence", "value"), "payload": value}
    script = f"console.log(JSON.stringify((function(msg) {{{function}}})({json.dumps(msg)})))"
    done = subprocess.run(["node", "-e", script], capture_output=True, text=True, check=True)
    answer = json.loads(done.stdout)
    assert (None if answer is None else (answer["payload"], answer["room"])) == (
        None if passed_on is None else (passed_on, "lobby")
    )
