"""Bodies about keys, sessions, tickets and the audit log."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, StringConstraints

from service.api.documents.common import Body, Cursor, RoleName
from service.rooms.config import Name


class KeyBody(Body):
    """A key to be made; `expires_in_s` None: it lasts until it is revoked."""

    role: RoleName
    room: Name | None = None
    name: Annotated[str, StringConstraints(max_length=200)] = ""
    expires_in_s: Annotated[int, Field(ge=60, le=10 * 366 * 86400)] | None = None


class SessionBody(Body):
    """A key that opens a dashboard session."""

    key: Annotated[str, StringConstraints(max_length=200)]


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
