"""How well links deliver: the store's configuration beside the worker's newest counts."""

import time
from collections.abc import Mapping
from typing import Any

from service.api.watch import Watch
from service.state import rfc3339
from service.store.rooms import UNKNOWN_NIC

LOST_S = 10.0
"""A link without a frame for this long is lost."""

_COUNTS = ("received", "accepted", "gap", "late", "duplicate", "sequence_gaps")
_PLAIN = (
    "source",
    "rate_hz",
    "clock_offset_ms",
    "rssi_dbm",
    "shape",
    "bandwidth_mhz",
    "centre_mhz",
    "transmitter",
    "roamed",
    "unauthenticated",
    "dropped",
    "loss_method",
    "address",
)


def link_quality(
    link: str, room: str | None, nic: str | None, facts: Mapping[str, Any] | None, watch: Watch
) -> dict[str, Any]:
    """A `LinkQuality` document. `facts` is the heartbeat's entry, None if the worker never heard the link."""
    known = facts or {}
    received_ns = known.get("last_received_ns") or None
    frame_ns = known.get("last_frame_ns") or None
    age_s = None if received_ns is None else max(0.0, (time.time_ns() - received_ns) / 1e9)
    return {
        "link": link,
        "room": room,
        "nic": known.get("nic") if nic in {None, UNKNOWN_NIC} and known.get("nic") else nic,
        "status": _status(age_s, watch),
        **{name: known.get(name) for name in _PLAIN},
        **{name: known.get(name) for name in _COUNTS},
        "gap_share": _share(known.get("gap"), known.get("received")),
        "rejected": known.get("rejected") or {},
        "source_rejected": known.get("source_rejected") or {},
        "lost_at_source": known.get("lost_at_source") or {},
        "clock": known.get("clock") or {"drift_ppm": None, "resets": None},
        "last_frame_at": None if frame_ns is None else rfc3339(frame_ns),
        "last_received_at": None if received_ns is None else rfc3339(received_ns),
        "age_s": None if age_s is None else round(age_s, 3),
        "drift_score": None,
        "calibration_age_s": None,
    }


def _status(age_s: float | None, watch: Watch) -> str:
    if not watch.worker_up:
        return "unknown"
    if age_s is None:
        return "waiting"
    return "ok" if age_s < LOST_S else "lost"


def _share(gap: int | None, received: int | None) -> float | None:
    """Share of what was published that never arrived."""
    if gap is None or received is None or gap + received == 0:
        return None
    return round(gap / (gap + received), 6)
