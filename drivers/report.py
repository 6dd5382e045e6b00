"""What a publish loop did, in numbers."""

from collections.abc import Mapping
from dataclasses import dataclass

from drivers.account import Account


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a publish loop is. `capture_s`: seconds of capture time published so far."""

    read_bytes: int
    frames: int
    published: int
    capture_s: float


@dataclass(frozen=True, slots=True)
class Report:
    """What a publish loop did.

    Attributes:
        account: where every byte went.
        rejected: records and frames that were not taken, by reason.
        lost_at_source: records that the transport lost, by reason.
        transmitter: MAC address that is followed, 0 where there is none; `roamed`: how often it changed.
        frames: frames parsed; `outside`: of these, not within the wanted part of the capture.
        published: frames sent; `acked`: of these, processed by the service and durable.
        dropped: frames not sent for want of credit; `lost`: sent, but the service or connection died.
        resent: frames sent again to a service that restarted.
        capture_s: span of capture time published; `seconds`: time it took.
        first_ns, last_ns: Unix capture time of the earliest and latest published frame, None without one.
    """

    account: Account
    rejected: Mapping[str, int]
    lost_at_source: Mapping[str, int]
    transmitter: int
    roamed: int
    frames: int
    outside: int
    published: int
    acked: int
    dropped: int
    lost: int
    resent: int
    capture_s: float
    seconds: float
    first_ns: int | None
    last_ns: int | None
