"""The part of the AsyncAPI 3 document that says what the site publishes over MQTT.

The document is open to everybody, so it names neither the broker nor the site: both are variables.
"""

from typing import Any

from service.outlets.mqtt.settings import MqttSettings
from service.outlets.mqtt.topics import Topics
from service.state import TaskState

_EVENTS = (
    "CloudEvents, at least once: the last ones are sent again after a connect of the service and when "
    "somebody says `online` at the birth topic. Drop those whose `source` and `id` you know."
)
_PARAMETERS = {
    "site": "The random name of the site, as in an event's `source`.",
    "room": "Name of the room; `-` in topics of events about no room.",
    "task": "Name of the task.",
    "link": "Name of the link.",
    "family": "What the event is about: alert, prediction, link, room, model, recalibration …",
    "what": "What happened: raised, updated, cleared, changed, lost, back, deleted …",
    "platform": "`binary_sensor` or `sensor`.",
    "entity": "Name of the room and of what it tells.",
}


def add_mqtt(document: dict[str, Any], settings: MqttSettings) -> None:
    """Add server, channels, operations and messages of the outlet to the document."""
    topics = Topics(settings.prefix, settings.discovery_prefix, "{site}")
    document["servers"] = {"broker": _server(settings)}
    for name, (address, message) in _channels(topics).items():
        document["channels"][name] = {
            "address": address,
            "servers": [{"$ref": "#/servers/broker"}],
            "messages": {message: {"$ref": f"#/components/messages/{message}"}},
            "parameters": {
                one: {"description": text} for one, text in _PARAMETERS.items() if f"{{{one}}}" in address
            },
        }
        if name == "events":
            document["channels"][name]["description"] = _EVENTS
        document["operations"][f"publish{name[0].upper()}{name[1:]}"] = {
            "action": "send",
            "channel": {"$ref": f"#/channels/{name}"},
            "messages": [{"$ref": f"#/channels/{name}/messages/{message}"}],
            "bindings": {"mqtt": {"qos": 1, "retain": name != "events"}},
        }
    state = TaskState.model_json_schema(ref_template="#/components/schemas/{model}")
    document["components"]["schemas"] = {**state.pop("$defs"), "TaskState": state}
    document["components"]["messages"] |= _messages()


def _server(settings: MqttSettings) -> dict[str, Any]:
    return {
        "host": "{broker}",
        "protocol": "mqtt" if settings.tls is None else "mqtts",
        "protocolVersion": "5.0",
        "description": "The site's broker. Nothing that is published to it changes anything in the service.",
        "variables": {"broker": {"description": "Where the site's broker is."}},
        "bindings": {
            "mqtt": {"lastWill": {"topic": f"{settings.prefix}/{{site}}/status", "qos": 1, "retain": True}}
        },
    }


def _channels(topics: Topics) -> dict[str, tuple[str, str]]:
    """Address and message of every channel."""
    return {
        "status": (topics.status, "status"),
        "state": (topics.task("{room}", "{task}", "state"), "state"),
        "value": (topics.task("{room}", "{task}", "value"), "value"),
        "availability": (topics.task("{room}", "{task}", "availability"), "status"),
        "linkState": (topics.link("{room}", "{link}"), "linkState"),
        "events": (topics.event("{family}.{what}", "{room}"), "event"),
        "discovery": (topics.announcement("{platform}", "{entity}"), "discovery"),
    }


def _messages() -> dict[str, Any]:
    return {
        "status": _message("Whether somebody looks.", {"enum": ["online", "offline"]}, "text/plain"),
        "value": _message("The value as one word; `unknown` or `paused`.", {"type": "string"}, "text/plain"),
        "state": _message("A task's state.", {"$ref": "#/components/schemas/TaskState"}),
        "linkState": _message(
            "How a link delivers.",
            {
                "type": "object",
                "properties": {
                    "status": {"enum": ["ok", "lost", "waiting", "unknown"]},
                    "drift": {"type": ["number", "null"]},
                },
                "required": ["status", "drift"],
            },
        ),
        "discovery": _message("A Home Assistant MQTT discovery payload.", {"type": "object"}),
    }


def _message(summary: str, payload: dict[str, Any], content_type: str = "application/json") -> dict[str, Any]:
    return {"summary": summary, "contentType": content_type, "payload": payload}
