"""Clips: the canonical frames of one span of one room, small enough to be kept (DESIGN B11).

A clip keeps what every feature is computed from: the mean power of each link's series in bins of 20 ms, in
half precision relative to a level of single precision. Windows cut from a clip are nearly those that were
seen live (features of variation to some 0.003; of a link faster than a frame a bin the mean amplitude comes
out some percent higher where it is all noise); their frames are its bins. Where frames of several shapes
alternate, the shape that most of a window had is kept, as in the window.
"""

import io
import json
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from models.signal.link_buffer import LinkFrames
from models.signal.track import BIN_NS, Kind, Track, concatenated
from models.signal.window import Rates, Window, WindowSpec, window_of

_FORMAT = 1
_SECOND = 1_000_000_000
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    ValueError,
    LookupError,
    TypeError,
    OSError,
    EOFError,
    RuntimeError,
    MemoryError,
)
"""What NumPy, zipfile and json raise on an archive that is not whole."""


@dataclass(frozen=True, slots=True, eq=False)
class Clip:
    """Frames of one room over [start_ns, end_ns), in tracks in order of link name."""

    start_ns: int
    end_ns: int
    tracks: tuple[Track, ...] = ()

    @property
    def nbytes(self) -> int:
        """Bytes of its arrays."""
        return sum(track.nbytes for track in self.tracks)

    @property
    def seconds(self) -> float:
        """Its length."""
        return (self.end_ns - self.start_ns) / _SECOND

    def windows(self, spec: WindowSpec) -> list[Window]:
        """Windows that lie inside the clip and hold frames, as `RoomBuffer` cuts them, oldest first."""
        rates, length = Rates(), round(spec.length_s * _SECOND)
        cut = []
        for end_ns in window_ends(self.start_ns, self.end_ns, spec):
            parts = list(self._parts(end_ns - length, end_ns))
            if parts:
                cut.append(window_of(parts, end_ns - length, end_ns, rates))
        return cut

    def _parts(self, start_ns: int, end_ns: int) -> Iterator[LinkFrames]:
        """Of each link the frames of the shape that most of them have."""
        first, last = -(-start_ns // BIN_NS), end_ns // BIN_NS
        best: dict[str, tuple[int, Track, slice]] = {}
        for track in self.tracks:
            which = track.between(first, last)
            count = which.stop - which.start
            if count > (best[track.link][0] if track.link in best else 0):
                best[track.link] = count, track, which
        for _, track, which in best.values():
            yield track.frames(which)

    def pack(self) -> bytes:
        """The clip as bytes: an .npz without pickles."""
        head = {
            "format": _FORMAT,
            "start_ns": self.start_ns,
            "end_ns": self.end_ns,
            "tracks": [track.described() for track in self.tracks],
        }
        arrays = {"head": np.frombuffer(json.dumps(head).encode(), np.uint8)}
        for number, track in enumerate(self.tracks):
            arrays |= {f"{name}_{number}": array for name, array in track.arrays().items()}
        held = io.BytesIO()
        np.savez(held, allow_pickle=False, **arrays)
        return held.getvalue()

    @classmethod
    def unpack(cls, data: bytes) -> "Clip":
        """What `pack` gave.

        Raises:
            ValueError: it is damaged.
        """
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                if (broken := archive.testzip()) is not None:
                    raise ValueError(f"its part {broken} fails its checksum")
            with np.load(io.BytesIO(data), allow_pickle=False) as held:
                return _read({name: held[name] for name in held.files})
        except _DAMAGE as error:
            raise ValueError(f"a damaged clip: {error}") from error


def _read(arrays: dict[str, np.ndarray]) -> Clip:
    head = json.loads(arrays["head"].tobytes())
    if head["format"] != _FORMAT:
        raise ValueError(f"its format is {head['format']!r}, not {_FORMAT}")
    tracks = [
        Track.from_parts(
            described, {name: arrays[f"{name}_{number}"] for name in ("slots", "levels", "piece", "relative")}
        )
        for number, described in enumerate(head["tracks"])
    ]
    return Clip(int(head["start_ns"]), int(head["end_ns"]), tuple(tracks))


def window_ends(start_ns: int, end_ns: int, spec: WindowSpec) -> range:
    """Ends of the windows that lie inside [start, end), by the rule of `RoomBuffer`."""
    hop = round(spec.hop_s * _SECOND)
    first = -(-(start_ns + round(spec.length_s * _SECOND)) // hop) * hop
    return range(first, end_ns + 1, hop)


def piece_of(window: Window, seen_ns: int) -> Clip:
    """What a window holds from `seen_ns` on (the end of the piece before), as a clip of its own."""
    first, last = -(-max(seen_ns, window.start_ns) // BIN_NS), window.end_ns // BIN_NS
    tracks = [Track.of(part, first, last) for part in window.parts]
    return Clip(first * BIN_NS, max(first, last) * BIN_NS, tuple(one for one in tracks if one is not None))


def clip_of(windows: Iterable[Window]) -> Clip | None:
    """All that these windows hold, which come in order of time, every frame once; None without a window."""
    pieces: list[Clip] = []
    for window in windows:
        pieces.append(piece_of(window, pieces[-1].end_ns if pieces else window.start_ns))
    return joined(pieces, pieces[0].start_ns, pieces[-1].end_ns) if pieces else None


def joined(clips: Sequence[Clip], start_ns: int, end_ns: int) -> Clip:
    """The span [start, end) of clips that follow one another in time, in whole bins that lie inside it."""
    first, last = -(-start_ns // BIN_NS), end_ns // BIN_NS
    kinds: dict[Kind, list[Track]] = {}
    for clip in clips:
        for track in clip.tracks:
            kinds.setdefault(track.kind, []).append(track)
    found = [concatenated(kinds[kind], first, last) for kind in sorted(kinds)]
    return Clip(first * BIN_NS, max(first, last) * BIN_NS, tuple(one for one in found if one is not None))
