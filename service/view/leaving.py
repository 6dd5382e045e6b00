"""What may leave the service: simulated and replayed state stays inside unless settings say otherwise.

The rule of DESIGN A6: a building acts on what an outlet says, so what nobody measured must not look measured.
"""

from typing import Any, Final

from service.state import Status, TaskState
from service.store.eventlog import StoredEvent

NOT_LIVE: Final = "not_live"
"""Reason of a state that is known inside and may not leave."""


def may_leave(event: StoredEvent, *, allow_non_live: bool) -> bool:
    """Whether the event may leave: it rests on live frames, or on no frames at all."""
    return may_leave_from(event.data.get("source"), allow_non_live=allow_non_live)


def may_leave_from(source: str | None, *, allow_non_live: bool) -> bool:
    """Whether what rests on frames of this source may leave; None: on no frames at all."""
    return allow_non_live or source in {None, "live"}


def leaving(state: dict[str, Any], *, allow_non_live: bool) -> dict[str, Any]:
    """The state as it may leave; one that is not live without its value and without what was last known."""
    if may_leave_from(state.get("source"), allow_non_live=allow_non_live):
        return state
    kept = {name: value if name in TaskState.model_fields else None for name, value in state.items()}
    hidden = dict.fromkeys(("value", "probability", "interval", "last_known"))
    return {**kept, **hidden, "status": Status.UNKNOWN.value, "reason": NOT_LIVE}
