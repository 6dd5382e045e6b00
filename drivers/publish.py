"""The one publish loop: read, parse, count, put on Unix time, pace, send, report."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from drivers.account import Account
from drivers.batch import in_slots
from drivers.frame import FrameBlock
from drivers.pipeline import Pipeline
from drivers.registry import Nic
from drivers.sender import Sender
from drivers.source import nic_of, read_chunks
from drivers.wire import MAX_BLOCK_AGE_S, Source

HELD_BYTES = 16 * 1024
"""As much, or what came within 50 ms, is parsed together: cards give one record a read, and a parser that is
made for many records at once takes nearly as long for one."""
REPLAY_GAP_NS = 10_000_000_000
"""A replay starts this long after the link's last frame, if that is later than now."""
MAX_DRIFT_NS = 1_000_000_000
"""A live clock that is off the host's by more than this is anchored again."""


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
        frames: frames parsed; `outside`: of these, not within the wanted part of the capture.
        published: frames sent; `acked`: of these, processed by the service and durable.
        dropped: frames not sent for want of credit; `lost`: sent, but the service or connection died.
        resent: frames sent again to a service that restarted.
        capture_s: span of capture time published; `seconds`: time it took.
        first_ns, last_ns: Unix capture time of the earliest and latest published frame, None without one.
    """

    account: Account
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

    @property
    def rejected(self) -> Mapping[str, int]:
        """Rejected records by reason."""
        return dict(self.account.rejected)


@dataclass(slots=True)
class _Timing:
    """Maps the NIC's clock onto Unix time."""

    offset_ns: int | None = None
    zero_ns: int | None = None  # NIC time of the capture's first frame
    first_ns: int | None = None
    last_ns: int | None = None
    started: float = field(default_factory=time.monotonic)

    def note(self, block: FrameBlock) -> None:
        times = block.table["capture_ns"]
        low, high = int(times.min()), int(times.max())
        self.first_ns = low if self.first_ns is None else min(self.first_ns, low)
        self.last_ns = high if self.last_ns is None else max(self.last_ns, high)

    @property
    def span_s(self) -> float:
        if self.first_ns is None or self.last_ns is None:
            return 0.0
        return (self.last_ns - self.first_ns) / 1e9


class Publisher:
    """Bytes in, blocks on their way to the service out. Use `publish` unless you own the loop.

    The first frame is anchored on Unix time: a replay at ``max(now, link's last frame + 10 s)``, everything
    else at now; after that the NIC's clock counts. A live clock that leaves the host's by more than a second
    (it was reset, or it drifted) is anchored again.

    Args:
        nic: whose bytes these are.
        sender: where the blocks go.
        speed: pace by capture time at this factor; None sends as soon as the bytes are there.
        part: seconds of capture time ``(from, to)`` after the first frame that are sent; None for all.
        transmitter, iq_order, group: as for `Pipeline`.

    Attributes:
        pipeline: what the bytes go through.
        lost: records that the transport itself lost, by reason; set by the caller, told to the service.
        outside: frames that are not within `part`; `past_part`: whether all that follow are behind it.
    """

    def __init__(
        self,
        nic: Nic,
        sender: Sender,
        *,
        speed: float | None = None,
        part: tuple[float, float] | None = None,
        transmitter: str = "auto",
        iq_order: str = "as_recorded",
        group: bool = True,
    ) -> None:
        self.pipeline = Pipeline(nic, transmitter=transmitter, iq_order=iq_order, group=group)
        self.lost: Mapping[str, int] = {}
        self.outside = 0
        self.past_part = False
        self._sender, self._speed, self._part = sender, speed, part
        self._timing = _Timing()
        self._held: list[bytes] = []
        self._held_bytes, self._held_since = 0, 0.0

    def feed(self, data: bytes | memoryview) -> None:
        """Take these bytes; parse and send what is due. Raises DeliveryError as `Sender.send` does."""
        if not self._held:
            self._held_since = time.monotonic()
        self._held.append(bytes(data))
        self._held_bytes += len(data)
        self.tick()

    def tick(self) -> None:
        """Parse and send what has waited long enough; call it when a live source has nothing to read."""
        if self._held and self._is_due:
            self._send_all(self._parse_held())
        elif waited := self.pipeline.tick():
            self._send_all(waited)
        else:
            self._tell()
            self._sender.pump()

    def finish(self, drain_timeout_s: float | None = None) -> Report:
        """Send the rest and report. A lossless sender waits until the service has processed everything."""
        blocks = self._parse_held()
        self._send_all(blocks + self.pipeline.finish())
        if self._sender.lossless:
            self._sender.drain(drain_timeout_s)
        return self.report()

    @property
    def progress(self) -> Progress:
        """How far it is."""
        pipeline = self.pipeline
        return Progress(
            pipeline.account.total_bytes, pipeline.stream.frames, self._sender.published, self._timing.span_s
        )

    def report(self) -> Report:
        """What was done so far."""
        sender, timing = self._sender, self._timing
        return Report(
            account=self.pipeline.account,
            frames=self.pipeline.stream.frames,
            outside=self.outside,
            published=sender.published,
            acked=sender.acked,
            dropped=sender.dropped,
            lost=sender.lost,
            resent=sender.resent,
            capture_s=timing.span_s,
            seconds=time.monotonic() - timing.started,
            first_ns=timing.first_ns,
            last_ns=timing.last_ns,
        )

    @property
    def _is_due(self) -> bool:
        """Whether what is held goes now: all but a live source gives as much as is worth a block."""
        age = time.monotonic() - self._held_since
        return not self._is_live or self._held_bytes >= HELD_BYTES or age >= MAX_BLOCK_AGE_S

    def _parse_held(self) -> list[FrameBlock]:
        held, self._held, self._held_bytes = self._held, [], 0
        return self.pipeline.feed(held[0] if len(held) == 1 else b"".join(held))

    def _send_all(self, blocks: Iterable[FrameBlock]) -> None:
        kept = [block for block in map(self._within_part, blocks) if len(block)]
        self._tell()
        slot_ns = None if self._speed is None else round(MAX_BLOCK_AGE_S * 1e9 * self._speed)
        for block in in_slots(kept, max_ns=slot_ns):
            self._send(block)

    def _tell(self) -> None:
        """What the service shall hear with the next hello."""
        sender, pipeline = self._sender, self.pipeline
        sender.rejected, sender.lost_at_source = pipeline.rejected, self.lost
        sender.transmitter, sender.roamed = pipeline.transmitter, pipeline.roamed

    def _within_part(self, block: FrameBlock) -> FrameBlock:
        times = block.table["capture_ns"]
        if self._timing.zero_ns is None:
            self._timing.zero_ns = int(times[np.argmin(block.index)])
        if self._part is None:
            return block
        seconds = (times - self._timing.zero_ns) / 1e9
        inside = (seconds >= self._part[0]) & (seconds < self._part[1])
        self.past_part = bool((seconds >= self._part[1]).all())
        self.outside += int(len(block) - inside.sum())
        return block.take(inside)

    def _send(self, block: FrameBlock) -> None:
        last = int(block.table["capture_ns"][-1])
        moved = self._on_unix_time(block, self._offset(int(block.table["capture_ns"][0]), last))
        self._timing.note(moved)
        if self._speed is not None and self._timing.first_ns is not None:
            elapsed = (int(moved.table["capture_ns"][-1]) - self._timing.first_ns) / 1e9
            self._sender.wait_until(self._timing.started + elapsed / self._speed)
        self._sender.send(moved)

    def _offset(self, first_ns: int, last_ns: int) -> int:
        now, timing = time.time_ns(), self._timing
        if timing.offset_ns is None:
            timing.offset_ns = self._anchor_ns(now) - first_ns
            timing.started = time.monotonic()
        elif self._is_live and abs(now - timing.offset_ns - last_ns) > MAX_DRIFT_NS:
            timing.offset_ns = now - last_ns
        return timing.offset_ns

    @property
    def _is_live(self) -> bool:
        """Whether bytes come when they are made, so that capture time must stay near the host's."""
        return self._speed is None and not self._sender.lossless

    def _anchor_ns(self, now: int) -> int:
        last = self._sender.last_capture_ns
        if self._sender.source is not Source.REPLAY or last is None:
            return now
        return max(now, last + REPLAY_GAP_NS)

    @staticmethod
    def _on_unix_time(block: FrameBlock, offset_ns: int) -> FrameBlock:
        table = block.table.copy()
        table["capture_ns"] += offset_ns
        return replace(block, table=table)


def publish(
    chunks: Iterable[bytes],
    nic: Nic,
    sender: Sender,
    *,
    speed: float | None = None,
    part: tuple[float, float] | None = None,
    transmitter: str = "auto",
    iq_order: str = "as_recorded",
    group: bool = True,
    lost: Mapping[str, int] | None = None,
    progress: Callable[[Progress], None] | None = None,
    drain_timeout_s: float | None = None,
) -> Report:
    """Publish everything in `chunks`; an empty chunk means that a live source has nothing now.

    Args as for `Publisher`; `lost` as its attribute; `progress` is called after each chunk.

    Raises:
        DeliveryError: (lossless sender) refused, nobody answers, or not processed in time.
        SourceError: from `chunks`.
    """
    if sender.lossless:
        sender.connect()
    publisher = Publisher(
        nic, sender, speed=speed, part=part, transmitter=transmitter, iq_order=iq_order, group=group
    )
    publisher.lost = {} if lost is None else lost
    for chunk in chunks:
        if chunk:
            publisher.feed(chunk)
        else:
            publisher.tick()
        if progress is not None:
            progress(publisher.progress)
        if publisher.past_part:
            break
    return publisher.finish(drain_timeout_s)


def publish_capture(
    path: Path,
    *,
    endpoint: str,
    link: str,
    room: str | None = None,
    nic: str = "auto",
    source: Source = Source.REPLAY,
    speed: float | None = None,
    part: tuple[float, float] | None = None,
    transmitter: str = "auto",
    iq_order: str = "as_recorded",
    group: bool = True,
    progress: Callable[[Progress], None] | None = None,
    drain_timeout_s: float | None = None,
) -> Report:
    """Publish one capture file (.xz and .gz too) without loss; returns when the service has processed it.

    `speed` None is as fast as the service takes it. Further arguments as for `Sender` and `Publisher`.

    Raises:
        SourceError: the file cannot be read.
        UnknownFormatError: it is empty or not of the named (or any) NIC.
        DeliveryError: refused, nobody answers, or not processed in time.
    """
    module = nic_of(path, nic)
    with Sender(endpoint, link=link, room=room, nic=module.NAME, source=source, lossless=True) as sender:
        return publish(
            read_chunks(path),
            module,
            sender,
            speed=speed,
            part=part,
            transmitter=transmitter,
            iq_order=iq_order,
            group=group,
            progress=progress,
            drain_timeout_s=drain_timeout_s,
        )
