"""Whether a link delivers, by what the worker last said of it."""

from collections.abc import Mapping
from typing import Any, Final

LOST_S: Final = 10.0
"""A link without a frame for this long is lost."""


def link_status(facts: Mapping[str, Any] | None, now_ns: int) -> str:
    """``ok``, ``lost``, or ``waiting`` where it never delivered; `facts` is the heartbeat's entry."""
    received_ns = (facts or {}).get("last_received_ns") or None
    if received_ns is None:
        return "waiting"
    return "ok" if now_ns - received_ns < LOST_S * 1e9 else "lost"
