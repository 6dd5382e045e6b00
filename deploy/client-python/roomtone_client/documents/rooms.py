"""Rooms, their states, and what was said of single windows."""

from datetime import datetime
from typing import Any, Generic, Literal, TypeVar

import msgspec

T = TypeVar("T")


class Page(msgspec.Struct, Generic[T], frozen=True):
    """Items of a list, and where it goes on (None: here it ends)."""

    items: list[T]
    next_cursor: str | None = None


class Room(msgspec.Struct, frozen=True):
    """A room. `etag` goes into `if_match` of a write, so that nobody's change is lost."""

    room: str
    revision: int
    created_at: datetime
    updated_at: datetime
    name: str = ""
    links: list[str] = []
    tasks: list[str] = []
    presence: dict[str, float] = {}
    size_m: tuple[float, float] | None = None
    zones: list[dict[str, Any]] = []
    tags: dict[str, str] = {}
    stale_after_s: float | None = None
    retention_days: int | None = None
    capacity: int | None = None
    etag: str = ""


class Window(msgspec.Struct, frozen=True, rename={"start": "from", "end": "to"}):
    """From and to in capture time; of a replay they lie on its own axis."""

    start: datetime
    end: datetime


class ModelInfo(msgspec.Struct, frozen=True):
    """Which model spoke; `trained_on` is ``"simulation"`` or the name of a data set."""

    name: str
    version: str
    digest: str
    trained_on: str
    provisional: bool = False


class LastKnown(msgspec.Struct, frozen=True):
    """The last value before the state became unknown; a memory, no truth."""

    value: Any
    observed_at: datetime
    probability: float | None = None
    interval: tuple[float, float] | None = None


class TaskState(msgspec.Struct, frozen=True):
    """State of one task in a room.

    `value` is None exactly when `status` is not ``"ok"``; `reason` says why then. Presence also tells
    `motion` (0 to 1) and `still` (somebody breathes); activities tell `probabilities` by name.
    """

    task: str
    status: Literal["ok", "unknown", "paused"]
    value: Any = None
    reason: str | None = None
    probability: float | None = None
    interval: tuple[float, float] | None = None
    since: datetime | None = None
    observed_at: datetime | None = None
    window: Window | None = None
    stale_after: datetime | None = None
    last_known: LastKnown | None = None
    model: ModelInfo | None = None
    source: Literal["live", "replay", "simulated"] | None = None
    motion: float | None = None
    still: bool | None = None
    probabilities: dict[str, float] | None = None


class RoomState(msgspec.Struct, frozen=True):
    """States of one room; `sequence` is that of the event that last changed one of them."""

    room: str
    sequence: int
    tasks: list[TaskState]

    def __getitem__(self, task: str) -> TaskState:
        """The state of this task.

        Raises:
            KeyError: the room has no such task.
        """
        for state in self.tasks:
            if state.task == task:
                return state
        raise KeyError(task)


class ZoneMember(msgspec.Struct, frozen=True):
    """What one room says of a zone."""

    room: str
    value: Literal["occupied", "vacant"] | None
    reason: str | None = None


class ZoneState(msgspec.Struct, frozen=True):
    """Whether anybody is in a zone: a part of a room, or a set of rooms."""

    zone: str
    sequence: int
    status: Literal["ok", "unknown", "paused"]
    value: Literal["occupied", "vacant"] | None = None
    reason: str | None = None
    probability: float | None = None
    since: datetime | None = None
    members: list[ZoneMember] = []


class SiteState(msgspec.Struct, frozen=True):
    """States of all rooms and zones, at one moment."""

    sequence: int
    items: list[RoomState]
    zones: list[ZoneState] = []


class Prediction(msgspec.Struct, frozen=True):
    """What was said of one window."""

    room: str
    task: str
    window: Window
    observed_at: datetime
    status: Literal["ok", "unknown", "paused"]
    value: Any = None
    reason: str | None = None
    probability: float | None = None
    interval: tuple[float, float] | None = None
    model: ModelInfo | None = None
    source: Literal["live", "replay", "simulated"] | None = None
