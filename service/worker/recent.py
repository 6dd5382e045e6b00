"""The last minutes of every room as clips in memory, so that a span can be labelled after it has passed."""

from collections import OrderedDict, deque
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from drivers.wire import Source
from models.signal.clip import Clip, joined, piece_of
from models.signal.window import Window
from service.adaptation.fingerprint import Fingerprint, FrameNumbers, numbers_of

_LEAST_LIVE_FIRST = (Source.SIMULATED, Source.REPLAY, Source.LIVE)
_OBJECTS_BYTES = 1024
"""What the objects around the arrays of one piece of one link take, about."""


@dataclass(frozen=True, slots=True, eq=False)
class _Piece:
    number: int
    clip: Clip
    source: Source
    numbers: FrameNumbers

    @property
    def nbytes(self) -> int:
        return self.clip.nbytes + self.numbers.nbytes + _OBJECTS_BYTES * (1 + len(self.clip.tracks))


@dataclass(frozen=True, slots=True)
class Span:
    """[from_ns, to_ns) in capture time."""

    from_ns: int
    to_ns: int


class Recent:
    """Clips of the windows that were predicted, of all rooms; what is oldest goes when there is too much.

    Args:
        minutes: of capture time that a room may look back.
        megabytes: that all rooms may take together.

    Attributes:
        nbytes: taken now.
    """

    def __init__(self, minutes: float, megabytes: float) -> None:
        self.nbytes = 0
        self._length_ns = round(minutes * 60e9)
        self._most_bytes = round(megabytes * 2**20)
        self._rooms: dict[str, deque[_Piece]] = {}
        self._order: OrderedDict[int, str] = OrderedDict()
        self._number = 0

    def take(self, room: str, window: Window, source: Source) -> None:
        """What is new in the room's next window."""
        held = self._rooms.setdefault(room, deque())
        if held and window.end_ns < held[-1].clip.end_ns:  # its time began anew
            self.forget(room)
            held = self._rooms.setdefault(room, deque())
        seen_ns = held[-1].clip.end_ns if held else window.start_ns
        self._number += 1
        piece = _Piece(self._number, piece_of(window, seen_ns), source, numbers_of(window, seen_ns))
        held.append(piece)
        self._order[piece.number] = room
        self.nbytes += piece.nbytes
        while held[0].clip.end_ns <= window.end_ns - self._length_ns:
            self._drop_oldest(room)
        while self.nbytes > self._most_bytes:
            self._drop_oldest(next(iter(self._order.values())))

    def span(self, room: str) -> Span | None:
        """From when to when the room can be looked back on; None where it cannot."""
        held = self._rooms.get(room)
        return Span(held[0].clip.start_ns, held[-1].clip.end_ns) if held else None

    def cut(self, room: str, span: Span) -> tuple[Clip, Source]:
        """A span that is held, and where its frames came from: the least live speaks for it."""
        pieces = list(self._within(room, span))
        sources = {piece.source for piece in pieces}
        source = next((one for one in _LEAST_LIVE_FIRST if one in sources), Source.LIVE)
        return joined([piece.clip for piece in pieces], span.from_ns, span.to_ns), source

    def fingerprint(self, room: str, span: Span) -> Fingerprint:
        """By what the frames of a span that is held are known again."""
        moments = (piece.numbers for piece in self._within(room, span))
        return Fingerprint.of(moments, span.from_ns, span.to_ns)

    def keep_only(self, rooms: Collection[str]) -> None:
        """Forget rooms that are not among these."""
        for room in set(self._rooms) - set(rooms):
            self.forget(room)

    def forget(self, room: str) -> None:
        """Forget all of a room."""
        while self._rooms.get(room):
            self._drop_oldest(room)

    def _within(self, room: str, span: Span) -> Iterator[_Piece]:
        for piece in self._rooms.get(room, ()):
            if piece.clip.end_ns > span.from_ns and piece.clip.start_ns < span.to_ns:
                yield piece

    def _drop_oldest(self, room: str) -> None:
        held = self._rooms[room]
        piece = held.popleft()
        del self._order[piece.number]
        self.nbytes -= piece.nbytes
        if not held:
            del self._rooms[room]
