"""Load for `bench pipeline`: many simulated cards in one process, each through the real adapter path."""

import time
from dataclasses import dataclass
from itertools import accumulate
from multiprocessing.connection import Connection

from drivers.frame import FrameBlock
from drivers.publish import Publisher
from drivers.registry import Nic, load
from drivers.sender import Sender
from drivers.stream import Stream
from drivers.wire import Source

TICK_S = 0.05
TICKS_A_SECOND = 20
NIC = "intel5300"


@dataclass(frozen=True, slots=True)
class Load:
    """What one process sends: `streams[i % len(streams)]` is the bytes of room i, one entry a tick."""

    endpoint: str
    rooms: list[str]
    streams: list[list[bytes]]
    spread: float
    lateness_ns: int
    hop_ns: int


@dataclass(frozen=True, slots=True)
class Usage:
    """What a process had used by a moment: processor seconds, and bytes parsed if it parses any."""

    at_ns: int
    cpu_s: float
    parsed_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Sent:
    """What one process sent.

    Attributes:
        closing: (room, end of window in ns) -> Unix ns at which the adapter got the frame that closes it.
        usage: of reading, parsing, packing and sending, about once a second.
    """

    closing: dict[tuple[str, int], int]
    frames: int
    dropped: int
    usage: list[Usage]


class NotingSender(Sender):
    """A sender that notes when the frame that closes each window was read."""

    def __init__(self, endpoint: str, *, room: str, load: Load) -> None:
        super().__init__(endpoint, link=f"{room}-1", room=room, nic=NIC, source=Source.SIMULATED)
        self.closing: dict[tuple[str, int], int] = {}
        self.read_ns: list[tuple[int, int]] = []  # frames read so far, Unix ns
        self._load, self._closed = load, 0

    def send(self, block: FrameBlock) -> bool:
        """As `Sender.send`."""
        times, load = block.table["capture_ns"] - self._load.lateness_ns, self._load
        newest = int(times.max()) // load.hop_ns * load.hop_ns
        if newest > self._closed:
            first = int(block.index[times >= newest].min())
            read = next(at for until, at in self.read_ns if first < until)
            self.closing[self.room or "", newest] = read
            self._closed = newest
        self.read_ns = self.read_ns[-8:]
        return super().send(block)


def send_load(load_: Load, pipe: "Connection[Sent, None]") -> None:
    """Send everything in real time and hand back what was sent; the entry of a process of its own."""
    nic = load(NIC)
    senders = [NotingSender(load_.endpoint, room=room, load=load_) for room in load_.rooms]
    publishers = [Publisher(nic, sender) for sender in senders]
    for sender in senders:
        sender.connect()
    frames = [_frames_so_far(nic, stream) for stream in load_.streams]
    started, sent_bytes = time.monotonic(), 0
    usage: list[Usage] = []
    for tick in range(len(load_.streams[0])):
        if tick % TICKS_A_SECOND == 0:
            usage.append(Usage(time.time_ns(), time.process_time(), sent_bytes))
        for number, (sender, publisher) in enumerate(zip(senders, publishers, strict=True)):
            due = started + (tick + load_.spread * number / len(senders)) * TICK_S
            if (wait := due - time.monotonic()) > 0:
                time.sleep(wait)
            chunk = load_.streams[number % len(load_.streams)][tick]
            sender.read_ns.append((frames[number % len(frames)][tick], time.time_ns()))
            publisher.feed(chunk)
            sent_bytes += len(chunk)
    usage.append(Usage(time.time_ns(), time.process_time(), sent_bytes))
    pipe.send(_sent(senders, usage))
    for sender in senders:
        sender.close()


def _frames_so_far(nic: Nic, stream: list[bytes]) -> list[int]:
    """Frames up to and with each entry of a stream; every entry holds whole records."""
    parsed = Stream(nic)
    return list(accumulate(sum(map(len, parsed.feed(chunk))) for chunk in stream))


def _sent(senders: list[NotingSender], usage: list[Usage]) -> Sent:
    closing = {key: at for sender in senders for key, at in sender.closing.items()}
    return Sent(
        closing=closing,
        frames=sum(sender.published for sender in senders),
        dropped=sum(sender.dropped + sender.lost for sender in senders),
        usage=usage,
    )
