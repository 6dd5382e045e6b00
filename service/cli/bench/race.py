"""One race of `bench decode`: the same file, in turn, in one thread, in units of memory bandwidth too."""

import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np

from drivers.frame import FrameBlock
from drivers.registry import Nic
from drivers.stream import Stream
from service.cli.bench.peers import PEER, PEERS
from service.cli.errors import CommandError

FILE_BYTES = 20_000_000
ROUNDS = 11
PIECE_BYTES = 512 * 1024
"""Complex values that are delivered at once: they stay in the cache of a core, as they would for a reader."""
COPY_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Result:
    """Speeds of one capture.

    `ratio` is ours over the peer's. `memory_share`: bytes read and complex values written a second, over what
    a plain copy in memory moves in the same run: the physical limit is 1.
    """

    capture: str
    nic: str
    frames_per_s: float
    peer: str
    peer_frames_per_s: float
    ratio: float
    memory_share: float


def race(path: Path, nic: Nic, copy_bytes_per_s: float) -> Result:
    """Both sides on the capture, repeated to 20 MB.

    Raises:
        CommandError: the two do not agree on the number of frames.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / path.name
        return _race(path.name, nic, file, _repeat(path, nic, file), copy_bytes_per_s)


def copy_bytes_per_s() -> float:
    """Bytes that a copy of a large array reads and writes a second, in one thread."""
    source, target = np.ones(COPY_BYTES, np.uint8), np.empty(COPY_BYTES, np.uint8)
    seconds = []
    for _ in range(ROUNDS):
        start = time.thread_time()
        np.copyto(target, source)
        seconds.append(time.thread_time() - start)
    return 2 * COPY_BYTES / median(seconds)


def _repeat(path: Path, nic: Nic, target: Path) -> int:
    """Write the capture's whole records over and over behind its one header; returns the frames in it."""
    data = path.read_bytes()
    whole = nic.parse(data, final=False)
    opening = whole.account.container_bytes
    records = data[opening : whole.consumed]
    times = -(-FILE_BYTES // len(records))
    target.write_bytes(data[:opening] + records * times)
    return whole.account.frames * times


def _race(name: str, nic: Nic, file: Path, frames: int, copy_bytes_per_s: float) -> Result:
    peer, room = PEERS[nic.NAME](nic, file), _Room()
    ours, theirs = [], []
    for _ in range(ROUNDS):
        ours.append(_timed(lambda: _decode(nic, file, room), frames, f"roomtone on {name}"))
        theirs.append(_timed(peer, frames, f"{PEER} on {name}"))
    speed, peer_speed = frames / median(ours), frames / median(theirs)
    moved = file.stat().st_size + room.delivered_bytes / (2 * ROUNDS)
    share = moved / median(ours) / copy_bytes_per_s
    return Result(
        capture=name,
        nic=nic.NAME,
        frames_per_s=round(speed),
        peer=PEER,
        peer_frames_per_s=round(peer_speed),
        ratio=round(speed / peer_speed, 2),
        memory_share=round(share, 3),
    )


def _timed(decode: Callable[[], int], frames: int, who: str) -> float:
    decode()  # so that neither side pays for caches and memory that the other one took
    start = time.thread_time()
    found = decode()
    seconds = time.thread_time() - start
    if found != frames:
        raise CommandError(f"{who}: {found} frames, expected {frames}; the speeds cannot be compared")
    return seconds


def _decode(nic: Nic, file: Path, room: "_Room") -> int:
    """Our side: the stream that every command reads captures through, complex values of every frame."""
    stream, frames = Stream(nic), 0
    with file.open("rb", buffering=0) as source:
        while (blocks := stream.fill(source.readinto)) is not None:
            frames += sum(map(room.take, blocks))
    return frames + sum(map(room.take, stream.finish()))


class _Room:
    """Memory for the values of a few frames after the other, as a reader of long streams keeps it."""

    def __init__(self) -> None:
        self._flat = np.empty(0, np.complex64)
        self.delivered_bytes = 0

    def take(self, block: FrameBlock) -> int:
        """Complex values of all frames in `block`; returns how many frames there were.

        Float values are complex already: `csi` gives a view of them, and nothing is copied.
        """
        if block.raw.dtype == np.float32:
            values = block.csi()
            self.delivered_bytes += values.nbytes
            return len(values)
        frames, step = 0, max(PIECE_BYTES // (8 * int(np.prod(block.shape))), 1)
        for start in range(0, len(block), step):
            piece = block.take(slice(start, start + step))
            size = piece.raw.size // 2
            self.delivered_bytes += 8 * size
            if len(self._flat) < size:
                self._flat = np.empty(size, np.complex64)
            frames += len(piece.csi(self._flat[:size].reshape(len(piece), *piece.shape)))
        return frames
