"""The AsyncAPI document says what really is published, and nothing of where the broker is."""

import json
import re
from typing import Any

import jsonschema_rs

from service.api.asyncapi import asyncapi_document
from service.outlets.mqtt.events import publication
from service.outlets.mqtt.settings import MqttSettings
from service.outlets.mqtt.told import told
from service.outlets.mqtt.topics import Topics
from service.store.eventlog import StoredEvent
from tests.outlets.mqtt.views import SITE, lost_state, room_view, state, view

SETTINGS = MqttSettings(host="broker.internal", insecure=True, prefix="building/roomtone")
TOPICS = Topics(SETTINGS.prefix, SETTINGS.discovery_prefix, SITE)


def channel_of(document: dict[str, Any], topic: str) -> str:
    """Name of the one channel whose address fits the topic."""
    found: list[str] = [
        name
        for name, channel in document["channels"].items()
        if re.fullmatch(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(channel["address"])), topic)
    ]
    assert len(found) == 1, (topic, found)
    return found[0]


def test_every_message_has_its_channel_and_fits_its_schema() -> None:
    document = asyncapi_document(SETTINGS)
    rooms = (
        room_view("lab"),
        room_view("den", lost_state("presence", "unknown", "stale"), state("counting")),
    )
    sent = [(one.topic, one.payload) for one in told(view(*rooms), TOPICS)]
    for room, kind in (("lab", "org.roomtone.alert.raised"), (None, "org.roomtone.link.lost")):
        one = publication(StoredEvent(7, 10**18, kind, room, None, {"source": "live"}), TOPICS)
        sent.append((one.topic, one.payload))
    seen = set()
    for topic, payload in sent:
        name = channel_of(document, topic)
        seen.add(name)
        (message,) = document["channels"][name]["messages"]
        told_as = document["components"]["messages"][message]
        value = payload if told_as["contentType"] == "text/plain" else json.loads(payload)
        schema = {"components": document["components"], **told_as["payload"]}
        jsonschema_rs.validate(schema, value)
    assert seen == set(document["channels"]) - {"alertStream"}


def test_every_reference_and_parameter_is_there() -> None:
    document = asyncapi_document(SETTINGS)
    for reference in re.findall(r'"\$ref": "#/([^"]+)"', json.dumps(document)):
        node: Any = document
        for part in reference.split("/"):
            node = node[part]
    for channel in document["channels"].values():
        assert set(re.findall(r"\{(\w+)\}", channel["address"])) == set(channel.get("parameters", {}))


def test_it_names_neither_broker_nor_site() -> None:
    assert "broker.internal" not in json.dumps(asyncapi_document(SETTINGS))


def test_without_the_outlet_there_is_no_server() -> None:
    assert "servers" not in asyncapi_document()
