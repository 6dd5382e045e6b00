"""Home Assistant as a consumer: its documented discovery schema, and the states it would show.

Written after home-assistant.io/integrations/mqtt, binary_sensor.mqtt and sensor.mqtt; stricter than it where
it would only log: an unknown key, a template that reads what is not there, or a payload that fits nothing
is an error.
"""

import json
import re
from dataclasses import dataclass, field
from typing import Any

from jinja2 import StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

TOPIC = re.compile(r"(?P<component>\w+)/(?:(?P<node>[a-zA-Z0-9_-]+)/)?(?P<object>[a-zA-Z0-9_-]+)/config")
_TEXT, _WHOLE, _LIST, _TABLE = (str,), (int,), (list,), (dict,)
_COMMON: dict[str, tuple[type, ...]] = {
    "availability": _LIST,
    "availability_mode": _TEXT,
    "device": _TABLE,
    "device_class": _TEXT,
    "enabled_by_default": (bool,),
    "encoding": _TEXT,
    "entity_category": _TEXT,
    "expire_after": _WHOLE,
    "force_update": (bool,),
    "icon": _TEXT,
    "json_attributes_template": _TEXT,
    "json_attributes_topic": _TEXT,
    "name": _TEXT,
    "origin": _TABLE,
    "qos": _WHOLE,
    "state_topic": _TEXT,
    "unique_id": _TEXT,
    "value_template": _TEXT,
}
KEYS = {
    "binary_sensor": {**_COMMON, "off_delay": _WHOLE, "payload_off": _TEXT, "payload_on": _TEXT},
    "sensor": {
        **_COMMON,
        "options": _LIST,
        "state_class": _TEXT,
        "suggested_display_precision": _WHOLE,
        "unit_of_measurement": _TEXT,
    },
}
DEVICE_CLASSES = {
    "binary_sensor": {
        "battery",
        "battery_charging",
        "carbon_monoxide",
        "cold",
        "connectivity",
        "door",
        "garage_door",
        "gas",
        "heat",
        "light",
        "lock",
        "moisture",
        "motion",
        "moving",
        "occupancy",
        "opening",
        "plug",
        "power",
        "presence",
        "problem",
        "running",
        "safety",
        "smoke",
        "sound",
        "tamper",
        "update",
        "vibration",
        "window",
    },
    "sensor": {"date", "distance", "duration", "enum", "timestamp"},  # further ones are all measured
}
DEVICE_KEYS = {
    "configuration_url",
    "connections",
    "hw_version",
    "identifiers",
    "manufacturer",
    "model",
    "model_id",
    "name",
    "serial_number",
    "suggested_area",
    "sw_version",
    "via_device",
}
BLOCKED = {"device_class", "entity_category", "icon", "name", "state", "supported_features", "unique_id"}
_JINJA = ImmutableSandboxedEnvironment(undefined=StrictUndefined)


def check(topic: str, config: dict[str, Any], prefix: str) -> None:
    """Refuse what Home Assistant's schema does not know."""
    found = TOPIC.fullmatch(topic.removeprefix(f"{prefix}/"))
    assert found, f"no discovery topic: {topic}"
    platform = found["component"]
    for key, value in config.items():
        assert key in KEYS[platform], f"{platform} has no key {key}"
        assert type(value) in KEYS[platform][key], f"{key} = {value!r}"
    assert config["state_topic"]
    assert config["unique_id"]
    assert config.get("device_class") in {None, *DEVICE_CLASSES[platform]}
    assert config.get("entity_category") in {None, "diagnostic"}
    assert config.get("state_class") in {None, "measurement", "total", "total_increasing"}
    assert config.get("expire_after", 1) > 0
    assert config.get("qos", 0) in {0, 1, 2}
    assert config.get("availability_mode", "latest") in {"all", "any", "latest"}
    assert config.get("icon", "mdi:x").startswith("mdi:")
    for one in config.get("availability", []):
        assert set(one) <= {"topic", "payload_available", "payload_not_available", "value_template"}
        assert one["topic"]
    assert set(config["device"]) <= DEVICE_KEYS
    assert config["device"]["identifiers"] or config["device"]["connections"]
    assert set(config["origin"]) <= {"name", "sw_version", "support_url"}
    assert config["origin"]["name"]
    for key in ("value_template", "json_attributes_template"):
        _JINJA.from_string(config.get(key, ""))


@dataclass
class HomeAssistant:
    """Takes messages as its MQTT integration does; `now_s` is set by the test."""

    prefix: str = "homeassistant"
    now_s: float = 0.0
    configs: dict[str, dict[str, Any]] = field(default_factory=dict)
    _messages: dict[str, tuple[str, float]] = field(default_factory=dict)

    def take(self, topic: str, payload: str) -> None:
        """A message arrives; retained ones come first after a start, in any order."""
        if topic.startswith(f"{self.prefix}/") and topic.endswith("/config"):
            if not payload:
                self.configs.pop(topic, None)
                return
            config = json.loads(payload)
            check(topic, config, self.prefix)
            ids = {one["unique_id"] for other, one in self.configs.items() if other != topic}
            assert config["unique_id"] not in ids, "two entities have one unique_id"
            self.configs[topic] = config
        elif payload:  # an empty payload is no state: Home Assistant keeps what it has until it expires
            self._messages[topic] = payload, self.now_s

    def states(self) -> dict[str, str]:
        """State of every entity, by device and name."""
        return {
            f"{one['device']['name']}/{one['name']}": self._state(topic, one)
            for topic, one in self.configs.items()
        }

    def attributes(self, topic: str) -> dict[str, Any]:
        """Attributes of the entity that is announced there."""
        config = self.configs[topic]
        payload, _ = self._messages[config["json_attributes_topic"]]
        found = json.loads(_render(config["json_attributes_template"], payload))
        assert not BLOCKED & set(found)
        return dict(found)

    def _state(self, topic: str, config: dict[str, Any]) -> str:
        if not all(self._available(one) for one in config.get("availability", [])):
            assert config["availability_mode"] == "all"
            return "unavailable"
        if config["state_topic"] not in self._messages:
            return "unavailable" if "expire_after" in config else "unknown"
        payload, at_s = self._messages[config["state_topic"]]
        if self.now_s - at_s >= config.get("expire_after", float("inf")):
            return "unavailable"
        value = _render(config.get("value_template", "{{ value }}"), payload).strip()
        if value == "None":
            return "unknown"
        return _binary(config, value) if "/binary_sensor/" in topic else _reading(config, value)

    def _available(self, one: dict[str, str]) -> bool:
        said, _ = self._messages.get(one["topic"], ("", 0.0))
        return said == one.get("payload_available", "online")


def _render(template: str, payload: str) -> str:
    return _JINJA.from_string(template).render(value=payload, value_json=json.loads(payload))


def _binary(config: dict[str, Any], value: str) -> str:
    named = {config.get("payload_on", "ON"): "on", config.get("payload_off", "OFF"): "off"}
    assert value in named, f"no matching payload: {value!r}"
    return named[value]


def _reading(config: dict[str, Any], value: str) -> str:
    assert 0 < len(value) <= 255, "a state has 1 to 255 characters"
    if {"state_class", "unit_of_measurement", "suggested_display_precision"} & set(config):
        float(value)
    return value
