"""The AsyncAPI 3 document of the alert stream, and of MQTT."""

from importlib.metadata import version
from typing import Any

from service.api.asyncapi_mqtt import add_mqtt
from service.events import EventType, Severity
from service.outlets.mqtt.settings import MqttSettings
from service.rooms.alerting.alert import AlertState, Cause

_STREAM = "#/channels/alertStream"


def asyncapi_document(mqtt: MqttSettings | None = None) -> dict[str, Any]:
    """What travels on `/v1/alerts/stream`, in both directions, and over MQTT where that is configured."""
    document = _stream()
    if mqtt is not None:
        add_mqtt(document, mqtt)
    return document


def _stream() -> dict[str, Any]:
    messages = _messages()
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Roomtone alert stream",
            "version": version("roomtone"),
            "description": (
                "Connect with `Authorization: Bearer KEY` or `?ticket=` from POST /v1/tickets, send one "
                "`subscribe` within 10 s, then read. `after` resumes without loss. The server pings every "
                "30 s. Close codes: 4400 a message that does not fit, 4401 the key ended, 4403 not allowed, "
                "4408 the client could not keep up (after an `overflow` message)."
            ),
        },
        "defaultContentType": "application/json",
        "channels": {
            "alertStream": {
                "address": "/v1/alerts/stream",
                "messages": {name: {"$ref": f"#/components/messages/{name}"} for name in messages},
                "bindings": {
                    "ws": {
                        "method": "GET",
                        "query": {"type": "object", "properties": {"ticket": {"type": "string"}}},
                    }
                },
            }
        },
        "operations": {
            "subscribe": _operation("receive", ["subscribe"]),
            "follow": _operation("send", [name for name in messages if name != "subscribe"]),
        },
        "components": {
            "messages": messages,
            "securitySchemes": {"key": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(action: str, names: list[str]) -> dict[str, Any]:
    return {
        "action": action,
        "channel": {"$ref": _STREAM},
        "messages": [{"$ref": f"{_STREAM}/messages/{name}"} for name in names],
        "security": [{"$ref": "#/components/securitySchemes/key"}],
    }


def _messages() -> dict[str, Any]:
    names = {"type": ["array", "null"], "items": {"type": "string"}}
    sequence = {"type": "string", "pattern": r"^\d{20}$", "description": "Zero-padded; increasing."}
    return {
        "subscribe": _message(
            "The client's first and only message.",
            {
                "type": {"const": "subscribe"},
                "rooms": names,
                "types": {**names, "description": "Full types, or families such as `alert`."},
                "min_severity": {"enum": [*Severity, None]},
                "after": {"type": ["integer", "string", "null"], "description": "Last sequence you have."},
            },
            ["type"],
        ),
        "event": _message("A CloudEvents 1.0 event.", _event_fields(sequence), _EVENT_REQUIRED),
        "reset": _message(
            "Events after `after` are gone; a snapshot follows.",
            {"type": {"const": "reset"}, "sequence": sequence, "reason": {"type": "string"}},
            ["type", "sequence"],
        ),
        "snapshot": _message(
            "How things stand at `sequence`: states of rooms and open alerts.",
            {
                "type": {"const": "snapshot"},
                "sequence": sequence,
                "rooms": {"type": "array"},
                "alerts": {"type": "array"},
            },
            ["type", "sequence", "rooms", "alerts"],
        ),
        "overflow": _message(
            "The client could not keep up; the stream closes with 4408.",
            {"type": {"const": "overflow"}, "detail": {"type": "string"}},
            ["type", "detail"],
        ),
        "error": _message(
            "Why the stream closes with 4400 or 4403.",
            {"type": {"const": "error"}, "code": {"type": "string"}, "detail": {"type": "string"}},
            ["type", "code", "detail"],
        ),
    }


_EVENT_REQUIRED = ["specversion", "id", "source", "type", "time", "sequence", "data"]


def _event_fields(sequence: dict[str, Any]) -> dict[str, Any]:
    return {
        "specversion": {"const": "1.0"},
        "id": {"type": "string"},
        "source": {"type": "string", "format": "uri"},
        "type": {"enum": list(EventType)},
        "subject": {"type": "string", "description": "The room."},
        "time": {"type": "string", "format": "date-time"},
        "sequence": sequence,
        "data": {
            "type": "object",
            "properties": {
                "source": {"enum": ["live", "replay", "simulated"]},
                "alert_id": {"type": "string"},
                "rule": {"type": "string", "description": "Of alert.* events: the rule's id."},
                "kind": {"type": "string", "description": "Of alert.* events: the rule's kind."},
                "state": {"enum": list(AlertState), "description": "Of alert.* events: the alert's."},
                "cause": {"enum": list(Cause), "description": "Of alert.* events: why it changed."},
                "actor": {"type": "string", "description": "Who did it, where a person is the cause."},
                "link": {"type": "string", "description": "Of link.* events."},
                "before": {
                    "description": "What was: a state, or the alert if that changed; of link.roamed, a MAC."
                },
                "after": {"description": "What is: as `before`."},
                "severity": {"enum": list(Severity)},
            },
        },
    }


def _message(summary: str, properties: dict[str, Any], required: list[str]) -> dict[str, Any]:
    payload = {"type": "object", "properties": properties, "required": required}
    return {"summary": summary, "contentType": "application/json", "payload": payload}
