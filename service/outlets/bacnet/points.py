"""What a state means on BACnet: value, reliability and out-of-service of one point. Pure.

A controller acts on Present_Value whatever the flags say, so the value errs on the side of somebody being
there: unknown never makes a room vacant and never counts zero. What is not a live measurement is always
marked: Status_Flags `fault` with a Reliability, or Out_Of_Service while the room is paused.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from models.prediction import Reason
from service.events import Severity
from service.state import Status

OnUnknown = Literal["hold", "occupied"]
"""What a point shows while its state is unknown: what it showed last, or that somebody is there."""

NO_FAULT: Final = "no-fault-detected"
OTHER: Final = "unreliable-other"
RELIABILITY: Final[Mapping[str, str]] = {
    Reason.NO_FRAMES: "no-sensor",
    Reason.STALE: "communication-failure",
    Reason.WORKER_DOWN: "communication-failure",
    Reason.MODEL_ERROR: "process-error",
}
"""Reliability (ASHRAE 135, 12.1.9) of a state that is unknown for a reason; `unreliable-other` for others."""

NORMAL: Final = 1
"""First state of the alarm object; severities follow in rising order."""
NOBODY_KNOWS: Final = 1.0
"""People told where a count was never known: somebody may be there, and zero would say that nobody is."""
_WORDS: Final = ("vacant", "occupied")


@dataclass(frozen=True, slots=True)
class Point:
    """What an object shows: whether occupied (1, 0), how many people, or the alarm's state from 1.

    `note` stands in the object's Description: the source of a value that is not live.
    """

    value: float
    reliability: str = NO_FAULT
    out_of_service: bool = False
    note: str = ""


def occupancy(state: Mapping[str, Any], held: float | None, on_unknown: OnUnknown) -> Point:
    """The binary input of a presence state; `held` is what the object shows until now, None before the first.

    Before anything is known the room counts as occupied: lights and air left on cost a little, switched off
    over somebody's head they do harm.
    """
    if _is_known(state) and state["value"] in _WORDS:
        return _known(state, float(state["value"] == "occupied"))
    if held is None and (last := _last_known(state)) in _WORDS:
        held = float(last == "occupied")
    return _unknown(state, 1.0 if held is None or on_unknown == "occupied" else held)


def people(state: Mapping[str, Any], held: float | None, on_unknown: OnUnknown) -> Point:
    """The analog input of a counting state, people; `held` as for `occupancy`."""
    if _is_known(state) and _is_number(state["value"]):
        return _known(state, float(state["value"]))
    if held is None and _is_number(last := _last_known(state)):
        held = float(last)
    known = NOBODY_KNOWS if held is None else held
    return _unknown(state, max(NOBODY_KNOWS, known) if on_unknown == "occupied" else known)


def alarm(states: Sequence[Mapping[str, Any]], severities: Collection[str]) -> Point:
    """The multi-state value of a room: the gravest open alert.

    While any task of the room is unknown the point is faulty: that no alert is open then says little.
    """
    value = float(NORMAL + max((1 + Severity(severity).rank for severity in severities), default=0))
    if any(state["status"] == Status.PAUSED for state in states):
        return Point(value, out_of_service=True)
    marks = (_mark(state) if _is_known(state) else _unreliable(state) for state in states)
    return Point(value, next((mark for mark in marks if mark != NO_FAULT), NO_FAULT if states else OTHER))


def _known(state: Mapping[str, Any], value: float) -> Point:
    """A value that is known; simulated and replayed ones, where settings let them out, are marked."""
    mark = _mark(state)
    return Point(value, mark, note="" if mark == NO_FAULT else str(state.get("source")))


def _unknown(state: Mapping[str, Any], value: float) -> Point:
    if state["status"] == Status.PAUSED:
        return Point(value, out_of_service=True)
    return Point(value, _unreliable(state))


def _unreliable(state: Mapping[str, Any]) -> str:
    return RELIABILITY.get(state.get("reason") or "", OTHER)


def _mark(state: Mapping[str, Any]) -> str:
    return NO_FAULT if state.get("source") == "live" else OTHER


def _is_known(state: Mapping[str, Any]) -> bool:
    return state["status"] == Status.OK and state.get("value") is not None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0


def _last_known(state: Mapping[str, Any]) -> Any:  # noqa: ANN401 - a value of any task
    return (state.get("last_known") or {}).get("value")
