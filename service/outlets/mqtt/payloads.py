"""A state and a link as they are told over MQTT: JSON for programs, one word for simple ones."""

import json
import math
from typing import Any, Final

from models.prediction import Reason
from service.outlets.port import LinkView
from service.rooms.config import RoomConfig
from service.state import Status

ONLINE: Final = "online"
OFFLINE: Final = "offline"
MOVING: Final = 0.5
"""From this `motion` on somebody moves (models.tasks.presence)."""
_LEAST_EXPIRY_S = 30
_ESSENCE = ("status", "reason", "value", "interval", "since", "source", "model", "still")


def expires_s(room: RoomConfig) -> int:
    """How long what is said of a room holds without renewal, in seconds: three times what makes it stale."""
    return max(_LEAST_EXPIRY_S, math.ceil(3 * room.stale_after_s))


def compact(document: object) -> str:
    """JSON without spaces; the same document is always the same text."""
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False, sort_keys=True)


def value_text(state: dict[str, Any]) -> str:
    """The value as one word: text and numbers as they are, else JSON; else ``unknown`` or ``paused``."""
    if state["status"] != Status.OK:
        return str(state["status"])
    value = state["value"]
    return value if isinstance(value, str) else compact(value)


def essence(state: dict[str, Any]) -> str:
    """What of a state must be told at once when it changes."""
    motion = state.get("motion")
    moving = None if motion is None else motion >= MOVING
    return compact([*(state.get(name) for name in _ESSENCE), moving])


def availability(state: dict[str, Any]) -> str:
    """Offline while sensing is paused or the worker is down; a state that is unknown is told as unknown."""
    away = state["status"] == Status.PAUSED or state["reason"] == Reason.WORKER_DOWN
    return OFFLINE if away else ONLINE


def link_document(link: LinkView) -> dict[str, Any]:
    """How a link delivers: `status` ok, lost, waiting or unknown, and its `drift` 0..1, null if unknown."""
    return {"status": link.status, "drift": link.drift}
