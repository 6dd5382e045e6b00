"""A capture that somebody uploads, made into a clip by the parsers that live frames go through.

Nothing of it is trusted: its format is told by its bytes, every record is counted, and what is kept is
bounded by bytes (the request), frames and time.
"""

import hashlib
import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import BinaryIO

import numpy as np

from drivers.batch import in_slots
from drivers.errors import DriverError, UnknownFormatError
from drivers.frame import FrameBlock
from drivers.pipeline import Pipeline
from drivers.registry import Nic, detect, load
from drivers.source import SNIFF_BYTES
from models.prediction import JsonValue
from models.signal.clip import Clip, joined, piece_of, window_ends
from models.signal.window import RoomBuffer, WindowSpec
from service.adaptation.fingerprint import Fingerprint, FrameNumbers, numbers_of

MOST_FRAMES = 2_000_000
LONGEST_S = 600.0
_CHUNK_BYTES = 64 * 1024
_BLOCK_FRAMES = 256
_YEAR_2000_NS = 946_684_800_000_000_000
_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Wanted:
    """How a capture is to be read: whose link it is, its NIC, and which seconds after its first frame."""

    link: str
    nic: str = "auto"
    from_s: float = 0.0
    to_s: float | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """What was in it; `file` names the bytes and the seconds, `counts` says what became of every frame.

    By `frames` the clip's frames are known again.
    """

    clip: Clip
    frames: Fingerprint
    file: Mapping[str, JsonValue]
    counts: Mapping[str, JsonValue]


_PACKED = {b"\xfd7zXZ\x00": ".xz", b"\x1f\x8b": ".gz"}
"""First bytes of what `roomtone inspect` would unpack; an upload could be made to grow without limit."""


class UploadError(Exception):
    """A capture that cannot be used, and the counts of what was found in it."""

    def __init__(self, detail: str, counts: Mapping[str, JsonValue] | None = None) -> None:
        super().__init__(detail)
        self.counts = counts or {}


def read_upload(file: BinaryIO, wanted: Wanted, spec: WindowSpec, now_ns: int) -> Taken:
    """The wanted seconds of a capture.

    Its times stay where the NIC's clock is Unix time; others begin at `now_ns`, at the start of a hop.

    Raises:
        UploadError: no capture of a known NIC, nothing usable in it, or too much.
    """
    head = file.read(SNIFF_BYTES)
    for start, kind in _PACKED.items():
        if head.startswith(start):
            raise UploadError(f"the capture is packed ({kind}): unpack it, what is packed is not taken")
    try:
        reader = _Reader(Pipeline(_nic_of(head, wanted.nic)), wanted, spec, now_ns)
    except DriverError as error:
        raise UploadError(str(error)) from error
    digest = hashlib.sha256()
    chunk = head
    try:
        while chunk and not reader.past:
            digest.update(chunk)
            reader.take(reader.pipeline.feed(chunk))
            chunk = file.read(_CHUNK_BYTES)
        if not reader.past:
            reader.take(reader.pipeline.finish())
        clip = reader.clip()
    except UploadError:
        raise
    except Exception as error:  # the boundary to foreign bytes: whatever they break ends here
        _log.exception("an upload cannot be used")
        raise UploadError("its frames cannot be made into windows", reader.counts()) from error
    while chunk:
        digest.update(chunk)
        chunk = file.read(_CHUNK_BYTES)
    to_s = wanted.from_s + clip.seconds
    name: dict[str, JsonValue] = {
        "sha256": digest.hexdigest(),
        "from_s": wanted.from_s,
        "to_s": round(to_s, 3),
    }
    frames = Fingerprint.of(reader.numbers, clip.start_ns, clip.end_ns)
    return Taken(clip, frames, name | {"nic": reader.pipeline.nic.NAME}, reader.counts())


class _Reader:
    """Frames of a capture on their way into pieces of a clip; `numbers` are of the frames of each piece."""

    def __init__(self, pipeline: Pipeline, wanted: Wanted, spec: WindowSpec, now_ns: int) -> None:
        self.pipeline = pipeline
        self.past = False
        self.numbers: list[FrameNumbers] = []
        hop_ns = round(spec.hop_s * 1e9)
        self._wanted, self._spec, self._now_ns = wanted, spec, now_ns // hop_ns * hop_ns
        self._buffer = RoomBuffer(spec)
        self._pieces: list[Clip] = []
        self._first_ns: int | None = None
        self._moved_ns = 0
        self._seen = self._outside = self._taken = 0
        self._rejected: Counter[str] = Counter()

    def take(self, blocks: list[FrameBlock]) -> None:
        """The next frames of the capture.

        Raises:
            UploadError: there are too many of them, or they last too long.
        """
        for block in in_slots(blocks, max_frames=_BLOCK_FRAMES):
            self._seen += len(block)
            if self._seen > MOST_FRAMES:
                raise UploadError(f"more than {MOST_FRAMES} frames: cut the capture", self.counts())
            inside = self._inside(block)
            if len(inside):
                count = self._buffer.push(self._wanted.link, inside)
                self._taken += count.accepted
                self._rejected.update(count.rejected, late=count.late)
                self._close()

    def clip(self) -> Clip:
        """What was wanted of the capture.

        Raises:
            UploadError: there is none of it.
        """
        self._close(flush=True)
        if self._first_ns is None:
            raise UploadError("no frame in it", self.counts())
        if self.pipeline.account.rejected.total() > self._seen:
            raise UploadError("more of its records are damaged than not", self.counts())
        whole = self._whole()
        if whole is None:
            raise UploadError("not one whole window of frames in the seconds wanted", self.counts())
        return whole

    def _whole(self) -> Clip | None:
        """The pieces as one clip; None where it holds no window."""
        if not self._pieces or self._first_ns is None:
            return None
        start_ns = max(
            self._first_ns + self._moved_ns + round(self._wanted.from_s * 1e9), self._pieces[0].start_ns
        )
        clip = joined(self._pieces, start_ns, self._pieces[-1].end_ns)
        return clip if window_ends(clip.start_ns, clip.end_ns, self._spec) else None

    def counts(self) -> dict[str, JsonValue]:
        """What became of every frame so far."""
        rejected = Counter(self.pipeline.rejected) + self._rejected
        return {
            "frames": self._seen,
            "taken": self._taken,
            "outside": self._outside,
            "rejected": {why: int(count) for why, count in sorted(rejected.items()) if count},
        }

    def _inside(self, block: FrameBlock) -> FrameBlock:
        """Frames in the seconds wanted, on Unix time."""
        times = block.table["capture_ns"]
        if self._first_ns is None:
            self._first_ns = int(times[np.argmin(block.index)])
            self._moved_ns = 0 if self._first_ns > _YEAR_2000_NS else self._now_ns - self._first_ns
        wanted, seconds = self._wanted, (times - self._first_ns) / 1e9
        if wanted.to_s is None and (seconds >= wanted.from_s + LONGEST_S).any():
            raise UploadError(
                f"longer than {LONGEST_S:g} s: say from and to, in seconds after the first frame",
                self.counts(),
            )
        to_s = wanted.from_s + LONGEST_S if wanted.to_s is None else wanted.to_s
        inside = (seconds >= wanted.from_s) & (seconds < to_s)
        self._outside += int(len(block) - inside.sum())
        self.past = bool((seconds >= to_s).all())
        kept = block.take(inside)
        table = kept.table.copy()
        table["capture_ns"] += self._moved_ns
        return replace(kept, table=table)

    def _close(self, *, flush: bool = False) -> None:
        for window in self._buffer.closed(flush=flush):
            seen_ns = self._pieces[-1].end_ns if self._pieces else window.start_ns
            self._pieces.append(piece_of(window, seen_ns))
            self.numbers.append(numbers_of(window, seen_ns))


def _nic_of(head: bytes, name: str) -> Nic:
    """The NIC these first bytes are of.

    Raises:
        UnknownFormatError: none, or another one than was named.
    """
    if name == "auto":
        return detect(head)[0]
    nic = load(name)
    if nic.sniff(head) is None:
        raise UnknownFormatError(f"not a capture of {nic.TITLE} ({name})")
    return nic
