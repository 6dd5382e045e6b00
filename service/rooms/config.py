"""What a room is: links, tasks, delays, zones, geometry. Kept in the store as one document."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationInfo
from pydantic.json_schema import WithJsonSchema

from models.task_names import names

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$")]
"""Names of rooms, links and zones: they stand in URLs, topics and file names."""

Metres = Annotated[float, Field(gt=0, le=1000)]

STORED = {"stored": True}
"""Context of validation for what the store holds: a task whose package is gone stays, and is unknown."""


def _known_task(name: str, info: ValidationInfo) -> str:
    if not (info.context or {}).get("stored") and name not in names():
        raise ValueError(f"no task of that name; there are {', '.join(names())}")
    return name


TaskName = Annotated[
    Name, AfterValidator(_known_task), WithJsonSchema({"type": "string", "enum": list(names())})
]
"""A built-in task, or one that an installed package brings (entry points `roomtone.tasks`)."""


class _Document(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class PresenceDelays(_Document):
    """Hold times in seconds of capture time."""

    on_delay_s: Annotated[float, Field(ge=0, le=3600)] = 2.0
    off_delay_s: Annotated[float, Field(ge=0, le=86400)] = 30.0


class Point(_Document):
    """A place in the room's own frame, metres."""

    x_m: float
    y_m: float


class Zone(_Document):
    """A named part of the room."""

    zone: Name
    outline: list[Point] = []


class RoomConfig(_Document):
    """Settings of one room; every field has a default that works.

    `size_m` is width and depth of the room's rectangle in metres; None if nobody measured it.
    """

    name: Annotated[str, StringConstraints(max_length=200)] = ""
    links: list[Name] = []
    tasks: list[TaskName] = ["presence", "counting"]
    presence: PresenceDelays = PresenceDelays()
    size_m: Annotated[tuple[Metres, Metres], Field(strict=False)] | None = (
        None  # JSON and TOML know only lists
    )
    zones: list[Zone] = []
    tags: dict[str, str] = {}
    stale_after_s: Annotated[float, Field(gt=0, le=3600)] = 10.0
    retention_days: Annotated[int, Field(ge=1, le=3650)] = 30
    capacity: Annotated[int, Field(ge=1, le=10000)] | None = None
