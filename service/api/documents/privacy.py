"""Bodies about privacy pauses and erasure."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from service.api.documents.common import Body, Moment
from service.rooms.schedule import Schedule
from service.state import unix_ns

LONGEST_S = 3650 * 86400


class PauseBody(Body):
    """From now on until a time, for so many seconds, or (neither) until somebody resumes the room.

    With `schedule` the room is paused again and again; alone it does not pause the room now. `schedule` that
    is left out stays as it is.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"for_s": 3600},
                {
                    "schedule": {
                        "rrule": "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;BYHOUR=18",
                        "duration_s": 43200,
                        "time_zone": "Europe/Vienna",
                    }
                },
            ]
        }
    )

    until: Moment | None = None
    for_s: Annotated[int, Field(ge=1, le=LONGEST_S)] | None = None
    schedule: Schedule | None = None

    @model_validator(mode="after")
    def _one_end(self) -> Self:
        if self.until is not None and self.for_s is not None:
            raise ValueError("give until or for_s, not both")
        return self

    @property
    def now(self) -> bool:
        """Whether the room is paused from now on."""
        return self.schedule is None or self.until is not None or self.for_s is not None

    def until_ns(self, now_ns: int) -> int | None:
        """When the pause that begins now ends by itself."""
        if self.for_s is not None:
            return now_ns + self.for_s * 1_000_000_000
        return None if self.until is None else unix_ns(self.until)


class ResumeBody(Body):
    """How a pause ends: a schedule goes on with its next time, unless it is dropped."""

    drop_schedule: bool = False


class Span(BaseModel):
    """A time with both ends."""

    model_config = ConfigDict(populate_by_name=True)

    start: str = Field(alias="from")
    end: str | None = Field(alias="to")


class PauseState(BaseModel):
    """Whether the room is paused, until when (null: until somebody resumes it) and by what."""

    room: str
    paused: bool
    since: str | None
    until: str | None
    by: Literal["hand", "schedule"] | None
    schedule: dict[str, Any] | None
    next: Span | None


class EraseBody(Body):
    """What is erased: all of the room's history, or what touches a range of time."""

    model_config = ConfigDict(
        populate_by_name=True,
        json_schema_extra={"examples": [{"from": "2026-11-20T00:00:00Z", "to": "2026-11-21T00:00:00Z"}]},
    )

    start: Moment | None = Field(None, alias="from")
    end: Moment | None = Field(None, alias="to")

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.start is not None and self.end is not None and unix_ns(self.start) >= unix_ns(self.end):
            raise ValueError("to must be later than from")
        return self


class Erased(BaseModel):
    """How many rows were erased, by table; of `events` only what they said."""

    room: str
    rows: dict[str, int]
