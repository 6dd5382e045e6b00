"""The one publish loop: read, parse, count, put on Unix time, pace, send, report."""

import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np

from drivers.batch import in_slots
from drivers.frame import FrameBlock
from drivers.iq import IqOrder
from drivers.pipeline import Pipeline
from drivers.registry import Nic
from drivers.report import Progress, Report
from drivers.sender import Sender
from drivers.source import nic_of, read_chunks
from drivers.timing import Timing
from drivers.wire import MAX_BLOCK_AGE_S, Source

HELD_BYTES = 16 * 1024
"""As much, or what came within 50 ms, is parsed together: cards give one record a read, and a parser that is
made for many records at once takes nearly as long for one."""
REPLAY_GAP_NS = 10_000_000_000
"""A replay starts this long after the link's last frame, if that is later than now."""


class Publisher:
    """Bytes in, blocks on their way to the service out. Use `publish` unless you own the loop.

    Capture times go out as Unix time. Live frames (no pace, a sender that drops) follow the host's clock, see
    `drivers.host_clock`. Others keep the NIC's: the first frame is anchored at now, of a replay at ``max(now,
    link's last frame + 10 s)``.

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
        iq_order: IqOrder = "as_recorded",
        group: bool = True,
    ) -> None:
        self.pipeline = Pipeline(nic, transmitter=transmitter, iq_order=iq_order, group=group)
        self.lost: Mapping[str, int] = {}
        self.outside = 0
        self.past_part = False
        self._sender, self._speed, self._part = sender, speed, part
        self._timing = Timing()
        self._held: list[bytes] = []
        self._held_bytes, self._held_since, self._read_ns = 0, 0.0, 0

    def feed(self, data: bytes | memoryview) -> None:
        """Take these bytes; parse and send what is due. Raises DeliveryError as `Sender.send` does."""
        if not self._held:
            self._held_since = time.monotonic()
        self._held.append(bytes(data))
        self._held_bytes += len(data)
        self._read_ns = time.time_ns()
        self.tick()

    def tick(self) -> None:
        """Parse and send what has waited long enough; call it when a live source has nothing to read."""
        if self._held and self._is_due:
            self._send_all(self._parse_held())
        elif self._is_live and (waited := self.pipeline.tick()):
            self._send_all(waited)
        else:
            if not self._held:
                self._tell()
            self._sender.pump()

    def finish(self, drain_timeout_s: float | None = None) -> Report:
        """Send the rest and report. A lossless sender waits until the service has processed everything."""
        blocks = self._parse_held()
        self._send_all(blocks + self.pipeline.finish(self._host_ns))
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
            rejected=self.pipeline.rejected,
            lost_at_source=dict(self.lost),
            transmitter=self.pipeline.transmitter,
            roamed=self.pipeline.roamed,
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
        return self.pipeline.feed(held[0] if len(held) == 1 else b"".join(held), self._host_ns)

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
        if self._is_live:
            sender.clock = pipeline.clock.report()

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
        if self._timing.offset_ns is None:
            first = int(block.table["capture_ns"][0])
            self._timing.anchor(first, first if self._is_live else self._anchor_ns())
        moved = self._timing.shifted(block)
        if self._speed is not None:
            self._sender.wait_until(self._timing.due(moved, self._speed))
        self._timing.note(moved)
        self._sender.send(moved)

    @property
    def _is_live(self) -> bool:
        """Whether bytes come when they are made, so that capture time must stay near the host's."""
        return self._speed is None and not self._sender.lossless

    @property
    def _host_ns(self) -> int | None:
        """When the bytes held were read, if that says when they were made."""
        return self._read_ns if self._is_live else None

    def _anchor_ns(self) -> int:
        now, last = time.time_ns(), self._sender.last_capture_ns
        if self._sender.source is not Source.REPLAY or last is None:
            return now
        return max(now, last + REPLAY_GAP_NS)


def publish(
    chunks: Iterable[bytes],
    nic: Nic,
    sender: Sender,
    *,
    speed: float | None = None,
    part: tuple[float, float] | None = None,
    transmitter: str = "auto",
    iq_order: IqOrder = "as_recorded",
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
    iq_order: IqOrder = "as_recorded",
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
