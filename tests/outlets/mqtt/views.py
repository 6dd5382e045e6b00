"""Views of a site as the outlets' frame gives them, by hand."""

from typing import Any

from models.task_names import BUILT_IN
from service.outlets.port import LinkView, RoomView, SiteView
from service.rooms.config import RoomConfig
from service.store.rooms import RoomRecord

SITE = "5eed5eed5eed5eed"
TIME = "2026-01-31T12:00:00.000Z"
KNOWN: dict[str, dict[str, Any]] = {
    "presence": {"value": "occupied", "motion": 0.8, "still": False},
    "counting": {"value": 3, "interval": [2, 5]},
    "localization": {"value": {"x_m": 1.5, "y_m": 2.25, "cell": None, "sigma_m": 0.4}},
    "suspicious_object": {"value": "metal"},
    "activity": {"value": "walking"},
}


def state(task: str, **more: Any) -> dict[str, Any]:
    """A state as `told_states` gives it; known unless `more` says otherwise."""
    document = {
        "task": task,
        "status": "ok",
        "reason": None,
        "value": None,
        "probability": 0.9,
        "interval": None,
        "since": TIME,
        "observed_at": TIME,
        "window": {"from": TIME, "to": TIME},
        "stale_after": TIME,
        "last_known": None,
        "model": None,
        "source": "live",
    }
    return {**document, **KNOWN.get(task, {}), **more}


def lost_state(task: str, status: str, reason: str) -> dict[str, Any]:
    """A state without a value, as the overlay makes it."""
    known = state(task)
    extras: dict[str, Any] = {name: None for name in ("motion", "still") if name in known}
    gone = dict.fromkeys(("value", "probability", "interval"))
    return {**known, **extras, **gone, "status": status, "reason": reason}


def room_view(
    room: str = "lab", *states: dict[str, Any], links: dict[str, LinkView] | None = None, **config: Any
) -> RoomView:
    """A room that tells these states, or all built-in tasks."""
    told = list(states) or [state(task) for task in BUILT_IN]
    links = {"l1": LinkView("ok", 0.12)} if links is None else links
    document = RoomConfig.model_validate(
        {"tasks": [one["task"] for one in told], "links": list(links), **config}, context={"stored": True}
    )
    return RoomView(RoomRecord(room, 1, document, 1, 1), told, links)


def view(*rooms: RoomView) -> SiteView:
    """A site of these rooms."""
    return SiteView(SITE, rooms, worker_up=True, time_ns=1, allow_non_live=False)
