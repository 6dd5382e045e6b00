"""How well links deliver: the store's configuration beside the worker's newest counts."""

import time
from collections.abc import Mapping
from typing import Any

from service.state import rfc3339
from service.store.baselines import STALE
from service.store.rooms import UNKNOWN_NIC
from service.view.links import link_status
from service.view.watch import Watch

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
    link: str,
    room: str | None,
    nic: str | None,
    facts: Mapping[str, Any] | None,
    watch: Watch,
    *,
    baseline: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """A `LinkQuality` document.

    `facts` is the heartbeat's entry, None if the worker never heard the link; `baseline` is the stored one.
    """
    known = facts or {}
    received_ns = known.get("last_received_ns") or None
    frame_ns = known.get("last_frame_ns") or None
    age_s = None if received_ns is None else max(0.0, (time.time_ns() - received_ns) / 1e9)
    return {
        "link": link,
        "room": room,
        "nic": known.get("nic") if nic in {None, UNKNOWN_NIC} and known.get("nic") else nic,
        "status": link_status(facts, time.time_ns()) if watch.worker_up else "unknown",
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
        **_calibration(baseline),
        "drift_score": watch.drift.get(link) if baseline and STALE not in baseline else None,
    }


def _calibration(baseline: Mapping[str, Any] | None) -> dict[str, Any]:
    """What is known of the link's empty-room baseline, and why it no longer holds if it does not."""
    if baseline is None:
        return {"calibration": "none", "calibration_age_s": None, "calibration_stale": None}
    made_ns, stale = baseline.get("made_ns"), baseline.get(STALE)
    age_s = None if made_ns is None else round(max(0.0, (time.time_ns() - made_ns) / 1e9), 3)
    why = None
    if isinstance(stale, Mapping):
        since_ns = stale.get("since_ns")
        why = {"reason": stale.get("reason"), "since": None if since_ns is None else rfc3339(since_ns)}
    return {
        "calibration": "ok" if why is None else "stale",
        "calibration_age_s": age_s,
        "calibration_stale": why,
    }


def _share(gap: int | None, received: int | None) -> float | None:
    """Share of what was published that never arrived."""
    if gap is None or received is None or gap + received == 0:
        return None
    return round(gap / (gap + received), 6)
