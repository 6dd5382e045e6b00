"""Bodies about labelled samples."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from service.api.documents.common import Body, Cursor, Label, Moment
from service.rooms.config import Name, TaskName


class SampleBody(Body):
    """What was so in a room from one moment to another; times are capture time, RFC 3339."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={
            "examples": [
                {
                    "task": "presence",
                    "label": "vacant",
                    "from": "2026-01-31T12:00:00Z",
                    "to": "2026-01-31T12:00:30Z",
                }
            ]
        },
    )

    task: TaskName
    label: Label
    start: Annotated[Moment, Field(alias="from")]
    end: Annotated[Moment, Field(alias="to")]


class SampleForm(BaseModel):
    """Fields beside an uploaded capture; `from` and `to` are seconds after its first frame."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    task: TaskName
    label: Annotated[str, StringConstraints(min_length=1, max_length=64)]
    link: Name
    nic: Annotated[str, StringConstraints(max_length=64)] = "auto"
    start_s: Annotated[float, Field(alias="from", ge=0, le=864000)] = 0.0
    end_s: Annotated[float | None, Field(alias="to", gt=0, le=864000)] = None
    simulated: bool = False


class SampleVerdict(BaseModel):
    """What was found. `reasons` speak against the sample, `warnings` do not; `detail` explains both.

    `windows` hold enough packets, and `good_seconds` lie in them; `occupancy` is the mean of all windows that
    fit into the span; `motion` is the share of the good ones in which something moves; `balance` says how
    many good seconds of each label were accepted, with this sample. An upload has `file` and `counts` too.
    """

    model_config = ConfigDict(extra="allow")

    accepted: bool
    reasons: list[str]
    warnings: list[str]
    detail: dict[str, str]
    windows: int
    seconds: float
    good_seconds: float = 0.0
    occupancy: float
    motion: float | None
    balance: dict[str, float]


class Sample(BaseModel):
    """A labelled sample, without its windows. Nothing is learned from one that is rejected."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "smp-0123456789abcdef",
                    "room": "lab",
                    "task": "presence",
                    "label": "vacant",
                    "state": "accepted",
                    "origin": "live",
                    "from": "2026-01-31T12:00:00.000Z",
                    "to": "2026-01-31T12:00:30.000Z",
                    "verdict": {
                        "accepted": True,
                        "reasons": [],
                        "warnings": [],
                        "detail": {},
                        "windows": 27,
                        "seconds": 30.0,
                        "good_seconds": 30.0,
                        "occupancy": 0.99,
                        "motion": 0.0,
                        "balance": {"vacant": 30.0},
                    },
                    "bytes": 300000,
                    "created_at": "2026-01-31T12:00:31.000Z",
                }
            ]
        }
    )

    id: str
    room: str
    task: str
    label: str
    state: Literal["accepted", "rejected"]
    origin: Literal["live", "replay", "simulated", "upload", "false_alarm"]
    start: Annotated[str, Field(alias="from")]
    end: Annotated[str, Field(alias="to")]
    verdict: SampleVerdict
    bytes: int
    created_at: str


class SamplePage(BaseModel):
    """Samples, newest first."""

    items: list[Sample]
    next_cursor: Cursor
