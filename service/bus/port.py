"""The bus port: what the service needs of a bus, whatever carries it.

Two things travel: blocks of frames from senders to the worker that owns their room (`Ingest`, with credit),
and small signals between the service's own processes (`Signals`, lossy by design: heartbeats, and wake-up
calls whose content is in the store).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from drivers.frame import FrameBlock
from drivers.wire import Flush, Grant, Header, Hello, Refuse
from models.prediction import JsonValue


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message from a sender. `peer` is the bus's own address of it, to be handed back in `reply`.

    `address` is its network address as far as the bus tells, with its greetings only.
    """

    peer: bytes
    received_ns: int
    message: "tuple[Header, FrameBlock] | Hello | Flush"
    address: str | None = None


class Ingest(Protocol):
    """Receiving side of the frame stream."""

    @property
    def rejected(self) -> Mapping[str, int]:
        """Messages that were not ours or damaged, by reason."""
        ...

    def poll(self, timeout_s: float) -> Sequence[Delivery]:
        """Messages that wait, oldest first; waits up to `timeout_s` for the first one."""
        ...

    def reply(self, peer: bytes, message: Grant | Refuse) -> None:
        """Answer a sender; never blocks, an answer to a sender that is gone is lost."""
        ...

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Signals(Protocol):
    """Small messages between the parts of one service.

    Topics: ``heartbeat`` (body: part, pid, time_ns, ... every 0.5 s), ``events`` (body: sequence; something
    was appended to the log), ``rooms`` (rooms or links changed in the store: read them again).
    """

    def publish(self, topic: str, body: Mapping[str, JsonValue]) -> None:
        """Tell everybody who listens; never blocks."""
        ...

    def poll(self, timeout_s: float) -> Sequence[tuple[str, Mapping[str, JsonValue]]]:
        """Signals that wait; waits up to `timeout_s` for the first one."""
        ...

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
