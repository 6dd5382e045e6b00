"""Shapes of bodies: what callers send (strict), and what they get (for the OpenAPI document)."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from service.rooms.config import Name, RoomConfig, TaskName
from service.state import TaskState, unix_ns

RoleName = Literal["viewer", "operator", "admin"]
SourceName = Literal["live", "replay", "simulated"]
Cursor = str | None


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class LinkBody(_Body):
    """What is configured of a link. `nic` may be left out where the link was heard or stored already."""

    room: Name | None = None
    nic: Annotated[str, StringConstraints(max_length=64)] | None = None
    name: Annotated[str, StringConstraints(max_length=200)] = ""


class KeyBody(_Body):
    """A key to be made; `expires_in_s` None: it lasts until it is revoked."""

    role: RoleName
    room: Name | None = None
    name: Annotated[str, StringConstraints(max_length=200)] = ""
    expires_in_s: Annotated[int, Field(ge=60, le=10 * 366 * 86400)] | None = None


class SessionBody(_Body):
    """A key that opens a dashboard session."""

    key: Annotated[str, StringConstraints(max_length=200)]


class Room(RoomConfig):
    """A room."""

    room: str
    revision: int
    created_at: str
    updated_at: str


class RoomPage(BaseModel):
    """Rooms."""

    items: list[Room]
    next_cursor: Cursor


class StateEnvelope(BaseModel):
    """States of one room; `sequence` is the number of the event that last changed one of them."""

    room: str
    sequence: int
    tasks: list[TaskState]


class StatePage(BaseModel):
    """States of all rooms, at one moment."""

    sequence: int
    items: list[StateEnvelope]
    next_cursor: Cursor


class PredictionItem(BaseModel):
    """What was predicted for one window."""

    model_config = ConfigDict(extra="allow")

    room: str
    task: str
    window: dict[str, str]
    observed_at: str


class PredictionPage(BaseModel):
    """Predictions, newest first."""

    items: list[PredictionItem]
    next_cursor: Cursor


class LinkClock(BaseModel):
    """How a live NIC's clock runs: its drift against the host's, and how often it was anchored again."""

    drift_ppm: float | None
    resets: int | None


def _moment(text: str) -> str:
    if not 0 <= unix_ns(text) <= 2**63 - 1:
        raise ValueError("out of range")
    return text


Moment = Annotated[str, StringConstraints(max_length=64), AfterValidator(_moment)]
Label = Annotated[str, StringConstraints(min_length=1, max_length=64)] | int


class SampleBody(_Body):
    """What was so in a room from one moment to another; times are capture time, RFC 3339."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        json_schema_extra={
            "example": {
                "task": "presence",
                "label": "vacant",
                "from": "2026-01-31T12:00:00Z",
                "to": "2026-01-31T12:00:30Z",
            }
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

    `windows` hold enough packets; `occupancy` is the mean of all; `motion` is the share of them in which
    something moves; `balance` says how many seconds of each label were accepted, with this sample. An upload
    also has `file` and `counts`.
    """

    model_config = ConfigDict(extra="allow")

    accepted: bool
    reasons: list[str]
    warnings: list[str]
    detail: dict[str, str]
    windows: int
    seconds: float
    occupancy: float
    motion: float | None
    balance: dict[str, float]


class Sample(BaseModel):
    """A labelled sample, without its windows. Nothing is learned from one that is rejected."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
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
                    "occupancy": 0.99,
                    "motion": 0.0,
                    "balance": {"vacant": 30.0},
                },
                "bytes": 300000,
                "created_at": "2026-01-31T12:00:31.000Z",
            }
        }
    )

    id: str
    room: str
    task: str
    label: str
    state: Literal["accepted", "rejected"]
    origin: Literal["live", "replay", "simulated", "upload"]
    start: Annotated[str, Field(alias="from")]
    end: Annotated[str, Field(alias="to")]
    verdict: SampleVerdict
    bytes: int
    created_at: str


class SamplePage(BaseModel):
    """Samples, newest first."""

    items: list[Sample]
    next_cursor: Cursor


class StaleCalibration(BaseModel):
    """Why a baseline no longer holds (`link_roamed`: the link follows another sender), and since when."""

    reason: str | None
    since: str | None


class LinkQuality(BaseModel):
    """How well a link delivers. Counts are since the worker's start; None: not known.

    `rejected` counts frames that the service refused, `source_rejected` what the sender did (damaged records,
    `other_transmitter`), `dropped` what it did not send for want of credit, `lost_at_source` what its
    transport lost; `sequence_gaps` frames that never reached it, told by `loss_method`. `transmitter` is the
    MAC address that is followed, `roamed` how often that changed; `unauthenticated`: anybody on the network
    could have sent these frames. `calibration` is about the link's empty-room baseline; `drift_score` says
    how far the link is from it: 0 as calibrated, 1 so far that an empty room would read as occupied, or that
    the channel is another one.
    """

    link: str
    room: str | None
    nic: str | None
    status: Literal["ok", "lost", "waiting", "unknown", "unassigned"]
    source: SourceName | None
    rate_hz: float | None
    received: int | None
    accepted: int | None
    gap: int | None
    gap_share: float | None
    late: int | None
    duplicate: int | None
    rejected: dict[str, int]
    source_rejected: dict[str, int]
    dropped: int | None
    lost_at_source: dict[str, int]
    sequence_gaps: int | None
    loss_method: Literal["counter", "timing", "unknown"] | None
    last_frame_at: str | None
    last_received_at: str | None
    age_s: float | None
    clock_offset_ms: float | None
    clock: LinkClock
    rssi_dbm: float | None
    shape: list[int] | None
    bandwidth_mhz: int | None
    centre_mhz: int | None
    address: str | None
    transmitter: str | None
    roamed: int | None
    unauthenticated: bool | None
    drift_score: float | None
    calibration: Literal["ok", "stale", "none"]
    calibration_age_s: float | None
    calibration_stale: StaleCalibration | None


class Link(LinkQuality):
    """A link: what is configured of it and how well it delivers."""

    name: str
    revision: int | None


class QualityPage(BaseModel):
    """Links of one room; `worker_up` False: the counts are from before the worker fell silent.

    `drift_score` is that of the link that has drifted most.
    """

    room: str
    worker_up: bool
    drift_score: float | None
    items: list[LinkQuality]
    next_cursor: Cursor


class LinkPage(BaseModel):
    """Links, and senders that belong to none."""

    items: list[Link]
    next_cursor: Cursor


class CloudEvent(BaseModel):
    """A CloudEvents 1.0 document."""

    specversion: Literal["1.0"]
    id: str
    source: str
    type: str
    subject: str | None = None
    time: str
    sequence: str
    datacontenttype: str
    data: dict[str, Any]


class EventLogPage(BaseModel):
    """Events in order. `complete` False: some after the number asked for are gone (retention)."""

    events: list[CloudEvent]
    next_after: int
    complete: bool


class Alert(BaseModel):
    """An alert."""

    model_config = ConfigDict(extra="allow")

    alert_id: str
    rule: str
    room: str | None
    severity: Literal["info", "warning", "critical"]
    state: Literal["raised", "cleared"]
    raised_at: str
    updated_at: str
    cleared_at: str | None


class AlertPage(BaseModel):
    """Alerts, newest first."""

    items: list[Alert]
    next_cursor: Cursor


class Ticket(BaseModel):
    """One-use password for `/v1/alerts/stream?ticket=`."""

    ticket: str
    expires_in_s: float


class Key(BaseModel):
    """A key, without its secret."""

    id: str
    role: RoleName
    room: str | None
    name: str
    status: Literal["active", "revoked", "expired"]
    created_at: str
    expires_at: str | None


class NewKey(Key):
    """A new key; `key` is told this once."""

    key: str


class KeyPage(BaseModel):
    """Keys, oldest first."""

    items: list[Key]
    next_cursor: Cursor


class AuditEntry(BaseModel):
    """Who changed what."""

    id: int
    time: str
    actor: str
    action: str
    target: str
    detail: dict[str, Any]


class AuditPage(BaseModel):
    """Audit entries, newest first."""

    items: list[AuditEntry]
    next_cursor: Cursor


class ModelCard(BaseModel):
    """A model card; `simulated`: it saw nothing but simulated rooms."""

    model_config = ConfigDict(extra="allow")

    name: str
    version: str
    task: str
    trained_on: str
    shelf: str
    licence: str
    digest: str
    classes: list[Any]
    nics: list[str]
    simulated: bool


class ModelPage(BaseModel):
    """Model cards."""

    items: list[ModelCard]
    next_cursor: Cursor


class Check(BaseModel):
    """Whether one part is able to work, and why not."""

    ok: bool
    reason: str | None


class Readiness(BaseModel):
    """Whether the service can answer."""

    status: Literal["ready"]
    checks: dict[str, Check]


class Liveness(BaseModel):
    """The process runs."""

    status: Literal["alive"]


class ProblemDocument(BaseModel):
    """RFC 9457 problem details."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    request_id: str
