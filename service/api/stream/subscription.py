"""What a client asks of the alert stream: its first message, checked, and which events fit it."""

from dataclasses import dataclass
from typing import Literal

import msgspec

from service.api.stream.outbox import StreamEnd
from service.events import Severity
from service.store.keys import Principal
from service.view.cloudevents import severity_rank
from service.view.selection import Selection, event_types

BAD_MESSAGE, FORBIDDEN = 4400, 4403


class Subscribe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The client's first message (DESIGN A4)."""

    type: Literal["subscribe"]
    rooms: list[str] | None = None
    types: list[str] | None = None
    min_severity: Severity | None = None
    after: int | str | None = None


@dataclass(frozen=True, slots=True)
class Subscription(Selection):
    """Which events a client wants, and may have; `after` None: from now on."""

    after: int | None


def read_subscribe(text: str, principal: Principal) -> Subscription:
    """The subscription in a client's first message.

    Raises:
        StreamEnd: 4400 with what is wrong and where, or 4403 for rooms the key does not cover.
    """
    try:
        message = msgspec.json.decode(text, type=Subscribe)
        after = None if message.after is None else _sequence(message.after)
        types = None if message.types is None else _types(message.types)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise refusal(BAD_MESSAGE, "bad-subscribe", f"not a subscribe message: {error}") from None
    rooms = None if message.rooms is None else frozenset(message.rooms)
    if principal.room is not None:
        if rooms is not None and rooms != {principal.room}:
            raise refusal(FORBIDDEN, "forbidden", f"the key is for room {principal.room} only")
        rooms = frozenset({principal.room})
    return Subscription(rooms, types, severity_rank(message.min_severity), after)


def refusal(code: int, name: str, detail: str) -> StreamEnd:
    """An end with an error message that says more than the 123 bytes of a close reason."""
    return StreamEnd(code, detail, {"type": "error", "code": name, "detail": detail[:2000]})


def _sequence(after: int | str) -> int:
    number = int(after) if isinstance(after, int) or (after.isascii() and after.isdecimal()) else -1
    if not 0 <= number < 2**63:
        raise ValueError("`after` is the `sequence` of an event, or null - at `$.after`")
    return number


def _types(patterns: list[str]) -> frozenset[str]:
    try:
        return event_types(patterns)
    except ValueError as error:
        raise ValueError(f"{error} - at `$.types`") from None
