"""Samples, jobs and what comes of them."""

from datetime import datetime
from typing import Any

import msgspec

from roomtone_client.documents.events import Alert


class Verdict(msgspec.Struct, frozen=True):
    """What was found of a sample; `reasons` speak against it, `warnings` do not."""

    accepted: bool
    reasons: list[str] = []
    warnings: list[str] = []
    detail: dict[str, str] = {}
    windows: int = 0
    seconds: float = 0.0
    good_seconds: float = 0.0
    occupancy: float = 0.0
    motion: float | None = None
    balance: dict[str, float] = {}


class Sample(msgspec.Struct, frozen=True, rename={"start": "from", "end": "to"}):
    """A labelled sample; nothing is learned from one that is rejected."""

    id: str
    room: str
    task: str
    label: str
    state: str
    origin: str
    start: datetime
    end: datetime
    verdict: Verdict
    bytes: int
    created_at: datetime


class Dismissal(msgspec.Struct, frozen=True):
    """An alert that was dismissed, and the sample a false alarm became; without one, `reason` says why."""

    alert: Alert
    sample: Sample | None = None
    reason: str | None = None


class Job(msgspec.Struct, frozen=True):
    """A job. `reason` and `detail` say why it was refused or failed; `metrics` are of held-out samples."""

    job: str
    room: str
    task: str
    kind: str
    state: str
    over: bool
    progress: float = 0.0
    eta_s: float | None = None
    at: str | None = None
    version: int | None = None
    provisional: bool | None = None
    method: str | None = None
    metrics: dict[str, Any] | None = None
    reason: str | None = None
    detail: str | None = None
    request: dict[str, Any] = {}
    jobs: list[dict[str, str]] = []
    created_at: datetime | None = None
    updated_at: datetime | None = None

    @property
    def succeeded(self) -> bool:
        """Whether it ended as it should: something new serves."""
        return self.state in {"activated", "provisional"}


class RoomVersion(msgspec.Struct, frozen=True):
    """One version of a room's own head."""

    version: int
    task: str
    state: str
    provisional: bool
    model: str
    method: str
    digest: str
    classes: list[str] = []
    metrics: dict[str, Any] | None = None
    job: str | None = None
    created_at: datetime | None = None
    activated_at: datetime | None = None


class Rollback(msgspec.Struct, frozen=True):
    """Which version was left, and which serves now (None: the shipped model, or none).

    Those `skipped` served between, and cannot serve now, since their model is not there.
    """

    left: int
    active: int | None = None
    skipped: list[int] = []
