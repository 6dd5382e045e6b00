"""Shapes of bodies about adaptation: what is asked, how a job stands, what versions a room has."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from service.adaptation.empty_request import LONGEST_DELAY_S, LONGEST_S, SHORTEST_S
from service.adaptation.states import JobState

Word = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[a-z0-9_]+$")]


class AdaptationBody(BaseModel):
    """What is to be adapted, and how.

    `method` is `auto`, or one that GET /v1/adaptation-methods lists. `shadow_s`: seconds of windows that the
    candidate is asked about beside what serves (by default as the site is configured; 0: none). `force`
    activates without evidence; only an admin may ask for it.
    """

    model_config = ConfigDict(
        extra="forbid", strict=True, json_schema_extra={"examples": [{"task": "counting", "method": "auto"}]}
    )

    task: Word
    method: Word = "auto"
    shadow_s: Annotated[float, Field(ge=0, le=86400, strict=False)] | None = None
    force: bool = False


class RecalibrationBody(BaseModel):
    """How a room is calibrated anew; `start_delay_s` is for people to leave.

    `duration_s` makes the baseline; a minute is added that must agree with it.
    """

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={"examples": [{"mode": "empty", "start_delay_s": 60, "duration_s": 180}]},
    )

    mode: Literal["empty", "labelled"] = "empty"
    start_delay_s: Annotated[float, Field(ge=0, le=LONGEST_DELAY_S)] = 30.0
    duration_s: Annotated[float, Field(ge=SHORTEST_S, le=LONGEST_S)] = 180.0
    dry_run: bool = False


class Job(BaseModel):
    """A job. `reason` and `detail` say why it was refused or failed, or who ended its shadow run.

    `detail` of an activated one says so if fewer windows came in its shadow run than were asked for.
    `metrics` are of held-out samples.
    """

    model_config = ConfigDict(extra="allow")

    job: str
    room: str
    task: str
    kind: str
    state: JobState
    over: bool
    request: dict[str, Any]
    progress: float
    eta_s: float | None
    at: str | None
    version: int | None
    provisional: bool | None
    method: str | None
    metrics: dict[str, Any] | None
    candidates: dict[str, Any] | None
    shadow: dict[str, Any] | None
    reason: str | None
    detail: str | None
    actor: str
    created_at: str
    updated_at: str


class RoomVersion(BaseModel):
    """One version of a room's own head, and how it was judged.

    `shadow`: how many windows it was asked about in its shadow run (`windows`, in `seconds`), on how many it
    failed (`errors`), and how many further ones held too few frames to ask (`unheard`).
    """

    version: int
    task: str
    state: Literal["shadow", "active", "retired", "refused"]
    provisional: bool
    model: str
    method: str
    digest: str
    classes: list[str]
    metrics: dict[str, Any] | None
    shadow: dict[str, Any]
    job: str | None
    created_at: str
    activated_at: str | None


class RoomVersionPage(BaseModel):
    """Versions of a room, newest first."""

    items: list[RoomVersion]
    next_cursor: str | None


class MethodList(BaseModel):
    """Methods of adaptation that can run on this site."""

    items: list[dict[str, Any]]
    next_cursor: str | None


class Rollback(BaseModel):
    """Which version was left, and which serves now (null: the shipped model, or none).

    `skipped` served between, and cannot serve now, since their model is not there.
    """

    left: int
    active: int | None
    skipped: list[int]
