"""Discovery payloads for Home Assistant: a room is a device, with an entity for each thing it tells.

The format is that of home-assistant.io/integrations/mqtt/#mqtt-discovery, one topic an entity: an empty
retained message there removes it, and other programs (openHAB, Node-RED) read it too.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
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


def configs(room: RoomView, topics: Topics) -> tuple[Retained, ...]:
    """A retained message for each entity of the room."""
    config = room.record.config
    device = Device(
        topics.site, room.record.room, config.name or room.record.room, expires_s(room.record.config)
    )
    return _configs(device, topics, tuple(config.tasks), tuple(room.links))


def unique_id(site: str, room: str, entity: str) -> str:
    """What Home Assistant knows the entity by; a name of a room holds no colon."""
    return f"roomtone:{site}:{room}:{entity}"


@dataclass(frozen=True, slots=True)
class Device:
    """A room as a device: `shown` is its name for people, `expires_s` how long what it says holds."""

    site: str
    room: str
    shown: str
    expires_s: int

    def document(self) -> dict[str, Any]:
        """The key `device` of a discovery payload."""
        return {
            "identifiers": [f"roomtone:{self.site}:{self.room}"],
            "name": self.shown,
            "suggested_area": self.shown,
            "manufacturer": "Roomtone",
            "model": "Room sensed by WiFi",
            "sw_version": _VERSION,
        }


@lru_cache(maxsize=4096)  # asked for every second, and hardly ever another
def _configs(
    device: Device, topics: Topics, tasks: tuple[str, ...], links: tuple[str, ...]
) -> tuple[Retained, ...]:
    found = []
    for task in tasks:
        state, there = topics.task(device.room, task, "state"), topics.task(device.room, task, "availability")
        told = {
            **_heard([topics.status, there], state),
            "json_attributes_topic": state,
            "json_attributes_template": ATTRIBUTES_TEMPLATE,
        }
        found += [_config(device, topics, entity, told) for entity in of_task(task)]
    for link in links:
        told = _heard([topics.status], topics.link(device.room, link))
        found += [_config(device, topics, entity, told) for entity in of_link(link)]
    return tuple(found)


def _heard(available: list[str], state: str) -> dict[str, Any]:
    """Where the state is, and who must be there for it to count."""
    return {
        "state_topic": state,
        "availability_mode": "all",
        "availability": [
            {"topic": topic, "payload_available": ONLINE, "payload_not_available": OFFLINE}
            for topic in available
        ],
    }


def _config(device: Device, topics: Topics, entity: Entity, told: Mapping[str, Any]) -> Retained:
    document = {
        "name": entity.name,
        "unique_id": unique_id(device.site, device.room, entity.key),
        "value_template": entity.template,
        "expire_after": device.expires_s,
        "qos": 1,
        "device": device.document(),
        "origin": {"name": "Roomtone", "sw_version": _VERSION},
        **told,
        **entity.more,
    }
    if entity.platform == BINARY_SENSOR:
        document |= {"payload_on": "ON", "payload_off": "OFF"}
    text = compact(document)
    return Retained(topics.config(entity.platform, device.room, entity.key), text, text)
