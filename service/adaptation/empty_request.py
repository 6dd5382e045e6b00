"""What a recalibration of an empty room is asked for, as its job holds it."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

import msgspec

LONGEST_DELAY_S: Final = 86400.0
SHORTEST_S: Final = 60.0
LONGEST_S: Final = 3600.0


class EmptyRequest(msgspec.Struct, frozen=True):
    """Wait `start_delay_s` until people have left, then look for `duration_s`."""

    mode: Literal["empty"]
    start_delay_s: Annotated[float, msgspec.Meta(ge=0, le=LONGEST_DELAY_S)]
    duration_s: Annotated[float, msgspec.Meta(ge=SHORTEST_S, le=LONGEST_S)]
    dry_run: bool


def empty_request(request: Mapping[str, Any]) -> EmptyRequest:
    """Read a job's request.

    Raises:
        ValueError: it is no request to look at an empty room.
    """
    return msgspec.convert(dict(request), EmptyRequest)
