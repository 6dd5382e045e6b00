"""Bodies about links and what is received on them."""

from typing import Annotated, Literal

from pydantic import BaseModel, StringConstraints

from service.api.documents.common import Body, Cursor, SourceName, ignoring
from service.rooms.config import Name


class LinkBody(Body):
    """What is configured of a link. `nic` may be left out where the link was heard or stored already."""

    room: Name | None = None
    nic: Annotated[str, StringConstraints(max_length=64)] | None = None
    name: Annotated[str, StringConstraints(max_length=200)] = ""


class LinkClock(BaseModel):
    """How a live NIC's clock runs: its drift against the host's, and how often it was anchored again."""

    drift_ppm: float | None
    resets: int | None


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


LinkBodyOrLink = Annotated[LinkBody, ignoring(Link.model_fields.keys() - LinkBody.model_fields.keys())]
"""What is configured of a link; what else GET tells of it is of no account."""
