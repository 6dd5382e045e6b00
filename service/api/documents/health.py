"""Bodies about the health of the service, and of problems."""

from typing import Literal

from pydantic import BaseModel, ConfigDict


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
