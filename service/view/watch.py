"""The newest heartbeat of every part, and what follows from it."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

WORKER_SILENT_S = 3.0
"""Without a heartbeat for this long the worker counts as down."""


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """A heartbeat and when it was heard: `heard_s` monotonic, `heard_ns` Unix time."""

    body: Mapping[str, Any]
    heard_s: float
    heard_ns: int


class Watch:
    """Keeps the newest heartbeats; may be told from another thread."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._newest: dict[str, Heartbeat] = {}
        self._received: tuple[Heartbeat | None, Mapping[str, int]] = None, {}
        self._started_ns = time.time_ns()

    def hear(self, body: Mapping[str, Any]) -> None:
        """Take in a heartbeat."""
        self._newest[str(body.get("part"))] = Heartbeat(body, self._clock(), time.time_ns())

    def age_s(self, part: str) -> float | None:
        """Seconds since that part was last heard; None if never."""
        beat = self._newest.get(part)
        return None if beat is None else self._clock() - beat.heard_s

    @property
    def worker_up(self) -> bool:
        """Whether the worker was heard lately."""
        age = self.age_s("worker")
        return age is not None and age < WORKER_SILENT_S

    @property
    def worker_last_ns(self) -> int:
        """When the worker was last heard, Unix time; the start of this process if never."""
        beat = self._newest.get("worker")
        return self._started_ns if beat is None else beat.heard_ns

    @property
    def worker(self) -> Mapping[str, Any]:
        """The worker's newest heartbeat, however old; empty before the first."""
        beat = self._newest.get("worker")
        return {} if beat is None else beat.body

    @property
    def links(self) -> Mapping[str, Mapping[str, Any]]:
        """What the worker last said of the links it receives."""
        return self.worker.get("links") or {}

    @property
    def drift(self) -> Mapping[str, float]:
        """How far calibrated links have drifted, as the worker last said, 0..1."""
        return self.worker.get("drift") or {}

    @property
    def unassigned(self) -> Mapping[str, Mapping[str, Any]]:
        """Senders that belong to no link we know; none while the worker is down."""
        return (self.worker.get("unassigned") or {}) if self.worker_up else {}

    @property
    def outlets_up(self) -> bool:
        """Whether the part that feeds the outlets was heard lately."""
        age = self.age_s("outlets")
        return age is not None and age < WORKER_SILENT_S

    @property
    def outlets(self) -> Mapping[str, Mapping[str, Any]]:
        """Where each outlet stands, by name; none while their part is down."""
        beat = self._newest.get("outlets")
        return (beat.body.get("outlets") or {}) if beat is not None and self.outlets_up else {}

    def newest_received_ns(self) -> Mapping[str, int]:
        """Host time of the newest frame of every room that receives any."""
        beat, (of, received) = self._newest.get("worker"), self._received
        if beat is not of:
            received = self._find_newest()
            self._received = beat, received  # once a heartbeat, however often it is asked for
        return received

    def _find_newest(self) -> dict[str, int]:
        newest: dict[str, int] = {}
        for link in self.links.values():
            room, received = link.get("room"), link.get("last_received_ns") or 0
            if room is not None:
                newest[room] = max(newest.get(room, 0), received)
        return newest
