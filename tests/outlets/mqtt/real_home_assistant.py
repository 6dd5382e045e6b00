"""Run by an interpreter that has Home Assistant: our messages on stdin through its own discovery code.

Prints what the value template of every entity gives, by entity.
"""

import asyncio
import json
import sys

from homeassistant.components.mqtt import binary_sensor, sensor
from homeassistant.components.mqtt.discovery import TOPIC_MATCHER
from homeassistant.core import HomeAssistant
from homeassistant.helpers.template import Template

PLATFORMS = {"binary_sensor": binary_sensor, "sensor": sensor}


async def main() -> None:
    hass, found = HomeAssistant("."), {}
    messages = json.load(sys.stdin)
    for topic, text in messages.items():
        match = TOPIC_MATCHER.match(topic.removeprefix("homeassistant/"))
        if not topic.startswith("homeassistant/") or match is None:
            continue
        config = json.loads(text)
        platform = PLATFORMS[match.group("component")]
        platform.PLATFORM_SCHEMA_MODERN(dict(config))  # refuses keys it does not know
        template = Template(config["value_template"], hass)
        value = template.async_render_with_possible_json_value(messages[config["state_topic"]])
        found[config["unique_id"].split(":")[-1]] = value
    print(json.dumps(found))


asyncio.run(main())
