"""Book-keeping of one link: what was published, what arrived, what became of it, what may be acknowledged.

    published = received + gap
    received  = accepted + rejected{reason} + late + duplicate

Each side is counted where it happens: `published` from the positions the sender writes into its headers, the
rest from the blocks themselves.
"""

import math
from collections import Counter, deque
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from drivers.frame import FrameBlock, mac_text
from drivers.loss import RunningLoss
from drivers.wire import ClockReport, Header, Hello, Source
from models.prediction import JsonValue
from models.signal.window import PushCount

MAX_HELD_BLOCKS = 256
BUSY_S = 3.0
"""A sender that said nothing for this long (it greets every second) no longer keeps its link to itself."""
MAX_AHEAD_NS = 30 * 24 * 3600 * 1_000_000_000
"""Capture time may lie ahead of the host's clock (a fast replay), but a frame from next year is a broken one:
taken, it would make every later frame of its room too late."""
_RATE_SPAN_NS = 5_000_000_000


@dataclass(slots=True)
class LinkLedger:
    """Counts of one link over the life of this worker; sessions of its senders add up.

    A replaying sender keeps what is not acknowledged and sends it again after a break. So its frames are
    taken strictly in order, and acknowledged only once no further window needs them: a killed worker costs it
    nothing but time. Frames of other senders are gone once sent: a jump is a gap, and they are
    acknowledged at once.
    """

    link: str
    room: str | None
    nic: str = ""
    source: Source = Source.LIVE
    session: str | None = None
    peer: bytes = b""
    heard_ns: int | None = None
    position: int = 0
    """Position in the session after the newest frame seen."""
    published: int = 0
    received: int = 0
    accepted: int = 0
    gap: int = 0
    late: int = 0
    duplicate: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    source_rejected: dict[str, int] = field(default_factory=dict)
    dropped: int = 0
    unanswered: int = 0
    """Blocks since the sender was last told how far we are."""
    flushed: bool = False
    last_capture_ns: int | None = None
    last_received_ns: int | None = None
    shape: tuple[int, int, int] | None = None
    bandwidth_mhz: int | None = None
    centre_mhz: int | None = None
    rssi_dbm: float | None = None
    address: str | None = None
    transmitter: int = 0
    """MAC address of the sender that the link follows, 0 where its NIC does not say."""
    roamed: int = 0
    unauthenticated: bool = False
    lost_at_source: dict[str, int] = field(default_factory=dict)
    clock: ClockReport = field(default_factory=ClockReport)
    offered_hz: float | None = None
    """Frames a second that the sender made between its last two greetings, sent or not."""
    held: deque[tuple[int, int]] = field(default_factory=deque)
    """Position before, and newest capture time of, each block that a further window may need."""
    _recent: deque[tuple[int, int, int, int]] = field(default_factory=lambda: deque(maxlen=4096))
    """Oldest and newest capture time, number of frames, and host time less the newest, of each late block."""
    _offered: tuple[int, int] | None = None
    _loss: RunningLoss = field(default_factory=RunningLoss)

    def is_busy(self, hello: Hello, now_ns: int) -> bool:
        """Whether another sender than this one delivers the link now."""
        silent_ns = now_ns - (self.heard_ns or 0)
        return self.session not in {None, hello.session} and not self.flushed and silent_ns < BUSY_S * 1e9

    def greet(self, hello: Hello, peer: bytes, now_ns: int, address: str | None = None) -> None:
        """A sender introduces itself, for the first time or once more."""
        self.heard_ns = now_ns
        self.peer, self.nic, self.source = peer, hello.nic, hello.source
        self.address = address or self.address
        self.source_rejected, self.dropped = dict(hello.rejected), hello.dropped
        self.lost_at_source, self.clock = dict(hello.lost_at_source), hello.clock
        self.unauthenticated = hello.unauthenticated
        self._note_rate(hello, now_ns)
        self._place(hello)
        if hello.transmitter:
            self.roamed += self.transmitter not in {0, hello.transmitter}
            self.transmitter = hello.transmitter

    def _note_rate(self, hello: Hello, now_ns: int) -> None:
        """How many frames the sender makes, taken or not: also one that is refused has a rate."""
        made = hello.published + hello.dropped
        if self._offered is not None and self.session == hello.session and now_ns > self._offered[1]:
            self.offered_hz = max(made - self._offered[0], 0) / (now_ns - self._offered[1]) * 1e9
        self._offered = made, now_ns

    def _place(self, hello: Hello) -> None:
        """Where we stand in the sender's count."""
        if self.session == hello.session:
            if not self.keeps_unacked:
                self.pass_over(hello.published)
            return
        self.session, self.flushed = hello.session, False
        self.held.clear()
        self._recent.clear()
        self._loss = RunningLoss()
        # Before the first frame we see of a sender, a replay says what was processed; of others it is gone.
        self.position = hello.acked if self.keeps_unacked else hello.published

    @property
    def keeps_unacked(self) -> bool:
        """Whether the sender sends what is not acknowledged again after a break."""
        return self.source is Source.REPLAY

    def take(self, header: Header, block: FrameBlock, received_ns: int) -> FrameBlock | None:
        """The frames of a block that are new; None if there are none, or their turn has not come."""
        end = header.first + header.count
        if header.session != self.session or (self.keeps_unacked and header.first > self.position):
            return None  # sent before our restart was noticed: it comes again, in order
        self.pass_over(header.first)
        self.heard_ns = received_ns
        self.unanswered += 1
        self.received += header.count
        known = min(max(self.position - header.first, 0), header.count)
        self.duplicate += known
        self.published += known
        if end <= self.position:
            return None
        self.published += end - self.position
        self.position, self.flushed = end, False
        fresh = block.take(slice(known, None)) if known else block
        self._note(header, fresh, received_ns)
        return fresh

    def settle(self, count: PushCount) -> None:
        """What the room made of the frames that `take` gave out."""
        self.accepted += count.accepted
        self.late += count.late
        self.rejected.update(count.rejected)

    def release(self, horizon_ns: int) -> None:
        """Let go of blocks that hold nothing captured at `horizon_ns` or later, and of what is too much."""
        while self.held and (self.held[0][1] < horizon_ns or len(self.held) > MAX_HELD_BLOCKS):
            self.held.popleft()

    def forget(self) -> None:
        """The room is paused: no window needs what was sent, and nothing measured in it is told."""
        self.held.clear()
        self.rssi_dbm = None

    def finish(self) -> None:
        """All windows of this sender are closed: nothing is held any more."""
        self.held.clear()
        self.flushed = True

    @property
    def acknowledged(self) -> int:
        """Position up to which the sender may forget its frames."""
        return self.held[0][0] if self.held else self.position

    def rate_hz(self) -> float | None:
        """Frames per second of capture time, lately; of a sender whose frames are not taken, as it says."""
        frames = sum(count for _, _, count, _ in self._recent)
        if frames < 2:
            return self.offered_hz
        span_ns = self._recent[-1][1] - self._recent[0][0]
        return (frames - 1) / span_ns * 1e9 if span_ns > 0 else None

    def clock_offset_ms(self) -> float | None:
        """Host receive time less capture time, at its least lately; None for a replay, which is shifted."""
        if self.source is Source.REPLAY or not self._recent:
            return None
        return min(offset for *_, offset in self._recent) / 1e6

    def report(self) -> dict[str, JsonValue]:
        """As the heartbeat carries it."""
        loss = self._loss.loss()
        return {
            "room": self.room,
            "nic": self.nic,
            "source": self.source.value,
            "shape": list(self.shape) if self.shape else None,
            "bandwidth_mhz": self.bandwidth_mhz,
            "centre_mhz": self.centre_mhz,
            "address": self.address,
            "transmitter": mac_text(self.transmitter) if self.transmitter else None,
            "roamed": self.roamed,
            "unauthenticated": self.unauthenticated,
            "lost_at_source": dict(self.lost_at_source),
            "rate_hz": self.rate_hz(),
            "published": self.published,
            "received": self.received,
            "accepted": self.accepted,
            "gap": self.gap,
            "late": self.late,
            "duplicate": self.duplicate,
            "rejected": dict(self.rejected),
            "source_rejected": dict(self.source_rejected),
            "dropped": self.dropped,
            "last_frame_ns": self.last_capture_ns,
            "last_received_ns": self.last_received_ns,
            "clock_offset_ms": self.clock_offset_ms(),
            "rssi_dbm": self.rssi_dbm,
            "clock": {"drift_ppm": self.clock.drift_ppm, "resets": self.clock.resets},
            "sequence_gaps": loss.missing,
            "loss_method": loss.method,
        }

    def pass_over(self, position: int) -> None:
        """Frames before this position are gone for good."""
        if position > self.position:
            self.gap += position - self.position
            self.published += position - self.position
            self.position = position

    def _note(self, header: Header, block: FrameBlock, received_ns: int) -> None:
        times = block.table["capture_ns"]
        times = times[timely(times, received_ns)]
        newest = int(times.max()) if len(times) else 0
        self.shape, self.last_received_ns = header.shape, received_ns
        self.bandwidth_mhz, self.centre_mhz = header.bandwidth_mhz, int(block.table["centre_mhz"][-1]) or None
        if self.keeps_unacked:
            self.held.append((header.first, newest))
        self.rssi_dbm = _mean(block.table["rssi_dbm"])
        self._loss.add(block)
        if not len(times):
            return
        self.last_capture_ns = newest if self.last_capture_ns is None else max(newest, self.last_capture_ns)
        self._recent.append((int(times.min()), newest, len(times), received_ns - newest))
        while newest - self._recent[0][1] > _RATE_SPAN_NS:
            self._recent.popleft()


def timely(times: npt.NDArray[np.int64], received_ns: int) -> npt.NDArray[np.bool_]:
    """Which capture times can be true."""
    return (times >= 0) & (times <= received_ns + MAX_AHEAD_NS)


def _mean(values: npt.NDArray[np.float32]) -> float | None:
    known = values[np.isfinite(values)]
    mean = float(known.mean()) if known.size else math.nan
    return round(mean, 1) if math.isfinite(mean) else None
