"""What an outlet is, and what it is given: events in order, and the retained truth of the site."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Protocol, Self

from service.errors import ServiceError
from service.outlets.resend import Resend
from service.store.eventlog import StoredEvent
from service.store.rooms import RoomRecord


class OutletError(ServiceError):
    """The peer cannot be reached or refused; what was not delivered is delivered later.

    `done` is the number of the last event that did arrive before the trouble; None: none did, or nobody
    knows.
    """

    def __init__(self, message: str, *, done: int | None = None) -> None:
        super().__init__(message)
        self.done = done


@dataclass(frozen=True, slots=True)
class LinkView:
    """How a link delivers at a moment.

    Attributes:
        status: ok, lost, waiting (it never delivered), or unknown: no worker, or frames that may not leave.
        drift: how far it has drifted from its calibration, 0..1; None: not calibrated, or not known.
    """

    status: str
    drift: float | None = None


@dataclass(frozen=True, slots=True)
class RoomView:
    """A room as it is told at a moment; `states` as `service.view.overlay.told_states` gives them."""

    record: RoomRecord
    states: list[dict[str, Any]]
    links: Mapping[str, LinkView] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SiteView:
    """All rooms at a moment.

    A state that may not leave (simulated or replayed, unless `allow_non_live`) is in it as unknown, with the
    reason ``not_live`` and its `source`; nothing of its value is left.

    Attributes:
        site: the random name of the site's store.
        rooms: by name.
        worker_up: whether the worker was heard lately.
        time_ns: host time, Unix nanoseconds.
        allow_non_live: whether simulated and replayed state may leave.
    """

    site: str
    rooms: tuple[RoomView, ...]
    worker_up: bool
    time_ns: int
    allow_non_live: bool


class Outlet(Protocol):
    """One way out of the service; used by one task, entered again after every trouble.

    Attributes:
        name: names its cursor in the store; the same over restarts, and never used for another outlet.
        wants_view: whether `show` is called at all.
    """

    name: str
    wants_view: bool

    @property
    def resend(self) -> Resend | None:
        """When its last events are delivered again, though its peer said that it has them; None: never."""
        ...

    async def __aenter__(self) -> Self:
        """Connect.

        Raises:
            OutletError: the peer cannot be reached or refused.
        """
        ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Say good-bye in order, within a second or two."""
        ...

    async def deliver(self, events: Sequence[StoredEvent]) -> None:
        """Pass events on, in order; returns when the peer has them all.

        Raises:
            OutletError: it has not; the same events come again later, those up to `done` excepted.
        """
        ...

    async def show(self, view: SiteView) -> None:
        """Take the retained truth, about once a second and after each connect; send only what changed.

        Raises:
            OutletError: the peer is lost.
        """
        ...
