"""Bodies about webhooks."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field, StringConstraints

from service.api.documents.common import Body, Cursor
from service.rooms.config import Name

Severity = Literal["info", "warning", "critical"]
EventPattern = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class WebhookBody(Body):
    """A webhook to be made. None means all.

    A type may leave out its prefix ``org.roomtone.`` or name a family, such as ``alert``.
    """

    url: Annotated[
        str,
        StringConstraints(min_length=1, max_length=2000),
        Field(description="HTTPS, without user name or fragment.", examples=["https://example.com/hook"]),
    ]
    types: Annotated[list[EventPattern], Field(min_length=1, max_length=50)] | None = None
    rooms: Annotated[list[Name], Field(min_length=1, max_length=1000)] | None = None
    min_severity: Severity | None = None


class ReplayBody(Body):
    """Where to begin again: after the event of this number; None goes on where the webhook stands."""

    after: Annotated[int, Field(ge=0, le=2**63 - 1)] | None = None


class Webhook(BaseModel):
    """A webhook and how it fares; without its secret."""

    id: str
    url: str
    types: list[str] | None
    rooms: list[str] | None
    until: Annotated[
        dict[str, int],
        Field(description="Rooms it named that were deleted: the last event that it gets of each."),
    ]
    min_severity: Severity | None
    room: Annotated[str | None, Field(description="Room of the admin who made it; null: the whole site.")]
    state: Literal["enabled", "disabled"]
    reason: Annotated[str | None, Field(description="Why it is disabled.")]
    position: Annotated[int, Field(description="The receiver has every event up to this number.")]
    behind: Annotated[int, Field(description="Events in the log after `position`, wanted or not.")]
    last_success_at: str | None
    last_failure_at: str | None
    last_trouble: Annotated[str | None, Field(description="What the newest failure was.")]
    failing_since: str | None
    created_at: str
    created_by: str


class NewWebhook(Webhook):
    """A new webhook; `secret` is told this once."""

    secret: str


class WebhookPage(BaseModel):
    """Webhooks, oldest first."""

    items: list[Webhook]
    next_cursor: Cursor


class WebhookTest(BaseModel):
    """What came of a test event: the receiver's status, or why there is none."""

    delivered: bool
    status: int | None
    reason: str | None
    latency_ms: float


class WebhookReplay(BaseModel):
    """Where deliveries begin again. `complete` False: some events after that are gone (retention)."""

    after: int
    complete: bool
