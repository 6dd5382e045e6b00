"""The retained truth of one task in one room, as the API shows it (DESIGN A3)."""

from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache

from pydantic import BaseModel, ConfigDict, JsonValue


class Status(StrEnum):
    """Whether a state holds a value."""

    OK = "ok"
    UNKNOWN = "unknown"
    PAUSED = "paused"


class ModelInfo(BaseModel):
    """The model behind a state."""

    name: str
    version: str
    digest: str
    trained_on: str
    provisional: bool


class LastKnown(BaseModel):
    """The last value before the state became unknown, and until when it was known."""

    value: JsonValue
    probability: float | None
    interval: tuple[float, float] | None
    observed_at: str


class TaskState(BaseModel):
    """State of one task. `value` is None exactly when `status` is not ok; `reason` then says why."""

    model_config = ConfigDict(
        extra="allow"
    )  # a task's extras (presence: motion, still) stand beside the value

    task: str
    status: Status
    reason: str | None
    value: JsonValue
    probability: float | None
    interval: tuple[float, float] | None
    since: str
    observed_at: str | None
    window: dict[str, str] | None
    stale_after: str | None
    last_known: LastKnown | None
    model: ModelInfo | None
    source: str | None


def rfc3339(ns: int) -> str:
    """Unix nanoseconds as RFC 3339 UTC with milliseconds."""
    second, rest = divmod(ns, 1_000_000_000)
    return f"{_second(second)}.{rest // 1_000_000:03d}Z"


@lru_cache(maxsize=4096)
def _second(second: int) -> str:
    """A page of all rooms holds thousands of times out of few seconds."""
    return datetime.fromtimestamp(second, UTC).isoformat().removesuffix("+00:00")


def unix_ns(text: str) -> int:
    """Inverse of `rfc3339`; takes any RFC 3339 time with an offset.

    Raises:
        ValueError: not a time, or one without an offset.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"time {text!r} has no offset; write e.g. 2026-01-31T12:00:00Z")
    return round(moment.timestamp() * 1e9)
