"""Discovery payloads for Home Assistant: a room is a device, with an entity for each thing it tells.

The format is that of home-assistant.io/integrations/mqtt/#mqtt-discovery, one topic an entity: an empty
retained message there removes it, and other programs (openHAB, Node-RED) read it too.
"""

from collections.abc import Iterator
from importlib.metadata import version
from typing import Any, Final

from service.outlets.mqtt.entities import BINARY_SENSOR, Entity, of_link, of_task
from service.outlets.mqtt.payloads import OFFLINE, ONLINE, compact, expires_s
from service.outlets.mqtt.retained import Retained
from service.outlets.mqtt.topics import Topics
from service.outlets.port import RoomView

_ATTRIBUTES: Final = ("status", "reason", "since", "probability", "interval", "source")
_VERSION: Final = version("roomtone")
_PICKED = ", ".join(f"'{name}': value_json.{name}" for name in _ATTRIBUTES)
ATTRIBUTES_TEMPLATE: Final = (
    f"{{{{ dict({{{_PICKED}}}, **(value_json.value if value_json.value is mapping else {{}})) | tojson }}}}"
)
"""Attributes of an entity: why and since when, how sure, and the parts of a value that has some."""


def configs(room: RoomView, topics: Topics) -> Iterator[Retained]:
    """A retained message for each entity of the room."""
    name = room.record.room
    for task in room.record.config.tasks:
        state, there = topics.task(name, task, "state"), topics.task(name, task, "availability")
        for entity in of_task(task):
            yield _config(room, topics, entity, state, [topics.status, there], attributes=True)
    for link in room.links:
        for entity in of_link(link):
            yield _config(room, topics, entity, topics.link(name, link), [topics.status])


def unique_id(site: str, room: str, entity: str) -> str:
    """What Home Assistant knows the entity by; a name of a room holds no colon."""
    return f"roomtone:{site}:{room}:{entity}"


def _config(
    room: RoomView,
    topics: Topics,
    entity: Entity,
    state_topic: str,
    available: list[str],
    *,
    attributes: bool = False,
) -> Retained:
    name = room.record.room
    document = {
        "name": entity.name,
        "unique_id": unique_id(topics.site, name, entity.key),
        "state_topic": state_topic,
        "value_template": entity.template,
        "expire_after": expires_s(room.record.config),
        "qos": 1,
        "availability_mode": "all",
        "availability": [
            {"topic": topic, "payload_available": ONLINE, "payload_not_available": OFFLINE}
            for topic in available
        ],
        "device": _device(room, topics.site),
        "origin": {"name": "Roomtone", "sw_version": _VERSION},
        **entity.more,
    }
    if entity.platform == BINARY_SENSOR:
        document |= {"payload_on": "ON", "payload_off": "OFF"}
    if attributes:
        document |= {"json_attributes_topic": state_topic, "json_attributes_template": ATTRIBUTES_TEMPLATE}
    text = compact(document)
    return Retained(topics.config(entity.platform, name, entity.key), text, text)


def _device(room: RoomView, site: str) -> dict[str, Any]:
    shown = room.record.config.name or room.record.room
    return {
        "identifiers": [f"roomtone:{site}:{room.record.room}"],
        "name": shown,
        "suggested_area": shown,
        "manufacturer": "Roomtone",
        "model": "Room sensed by WiFi",
        "sw_version": _VERSION,
    }
