"""A room as a W3C WoT Thing Description 1.1 (Recommendation of December 2023): a property for each task."""

from typing import Any, Final

from service.semantic.site import Site, brick_class, label
from service.state import rfc3339
from service.store.rooms import RoomRecord

MEDIA_TYPE: Final = "application/td+json"
_CONTEXT: Final = ["https://www.w3.org/2022/wot/td/v1.1", {"brick": "https://brickschema.org/schema/Brick#"}]
_VALUES: Final[dict[str, dict[str, Any]]] = {
    "presence": {"type": "string", "enum": ["occupied", "vacant"]},
    "counting": {"type": "integer", "minimum": 0},
    "localization": {
        "type": "object",
        "properties": {
            "x_m": {"type": "number", "unit": "m"},
            "y_m": {"type": "number", "unit": "m"},
            "sigma_m": {"type": "number", "unit": "m"},
        },
    },
    "suspicious_object": {"type": "string"},
    "activity": {"type": "string"},
}


def thing_description(site: Site, record: RoomRecord, base: str) -> dict[str, Any]:
    """The room; `base` is the URL of this service as the caller reaches it, with a slash at its end."""
    tasks = record.config.tasks
    document: dict[str, Any] = {
        "@context": _CONTEXT,
        "@type": f"brick:{brick_class(record.config)}",
        "id": site.room_urn(record.room),
        "title": label(record),
        "created": rfc3339(record.created_ns),
        "modified": rfc3339(record.updated_ns),
        "base": base,
        "securityDefinitions": {"key": {"scheme": "bearer", "in": "header", "format": "opaque"}},
        "security": "key",
        "links": [{"rel": "service-desc", "href": "v1/openapi.json", "type": "application/json"}],
    }
    if tasks:
        document["properties"] = {task: _property(record, task) for task in tasks}
    return document


def _property(record: RoomRecord, task: str) -> dict[str, Any]:
    return {
        "title": task.replace("_", " "),
        "description": "The latest state. While it is not ok, value is null and reason says why.",
        "readOnly": True,
        "observable": False,
        **_state(task),
        "forms": [
            {
                "href": f"v1/rooms/{record.room}/state/{task}",
                "op": "readproperty",
                "contentType": "application/json",
                "additionalResponses": [{"success": False, "contentType": "application/problem+json"}],
            }
        ],
    }


def _state(task: str) -> dict[str, Any]:
    """Schema of what the form answers with, as far as a consumer needs it."""
    known = _VALUES.get(task)
    return {
        "type": "object",
        "properties": {
            "task": {"type": "string", "const": task},
            "status": {"type": "string", "enum": ["ok", "unknown", "paused"]},
            "reason": {"oneOf": [{"type": "null"}, {"type": "string"}]},
            "value": {} if known is None else {"oneOf": [{"type": "null"}, known]},
            "probability": {"oneOf": [{"type": "null"}, {"type": "number", "minimum": 0, "maximum": 1}]},
            "since": {"type": "string", "format": "date-time"},
            "source": {"oneOf": [{"type": "null"}, {"type": "string"}]},
        },
        "required": ["task", "status", "reason", "value", "probability", "since"],
    }
