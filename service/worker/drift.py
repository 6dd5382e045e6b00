"""Drift in the worker: every calibrated link is followed, slowly, and who has drifted far is told of."""

import logging
from collections.abc import Mapping
from typing import Final

from models.prediction import JsonValue
from models.signal.static_profile import static_profile
from models.signal.view import View
from models.signal.window import MIN_OCCUPANCY, Window
from models.tasks.presence import log_odds
from service.adaptation.drift import LOOK_S, Track
from service.rooms.alerting.alert import Fact
from service.rooms.alerting.book import AlertBook
from service.rooms.alerting.rules import DRIFT
from service.store.baselines import PRESENCE
from service.worker.alerts import tell
from service.worker.batch import Batch
from service.worker.rooms import RoomRuntime

SUGGEST, CLEAR = 0.6, 0.4
"""Scores from which a recalibration is suggested, and below which it no longer is."""
HOLD_S: Final = 600.0
"""How long, in capture time, a score must stay high."""
BLOCKS_A_WRITE: Final = 6
_log = logging.getLogger(__name__)
Rooms = Mapping[str, RoomRuntime]


class DriftWatch:
    """Tracks of all links that have a baseline which holds."""

    def __init__(self) -> None:
        self._tracks: dict[str, dict[str, Track]] = {}
        self._blocks: dict[str, int] = {}
        self._looked_ns: dict[str, int] = {}
        self._high_since_ns: dict[str, int] = {}

    def read(self, rooms: Rooms, book: AlertBook, now_ns: int, batch: Batch) -> None:
        """Take the rooms' baselines, as just read of the store; what was tracked of the same ones stays."""
        self._tracks = {name: self._tracks_of(room) for name, room in rooms.items()}
        for per_room in (self._blocks, self._looked_ns, self._high_since_ns):
            for gone in set(per_room) - set(rooms):
                del per_room[gone]
        for name, room in rooms.items():
            self._serve(room)
            score = self.room_score(name)
            if score is not None and score < CLEAR:
                self._high_since_ns.pop(name, None)
                self._suggest(room, book, now_ns, batch, holds=False)

    def take(self, room: RoomRuntime, window: Window, book: AlertBook, now_ns: int, batch: Batch) -> None:
        """A window of a room; one in `LOOK_S` seconds is looked at, and only where there are baselines."""
        fitting, before = room.baselines_for(window), self._looked_ns.get(room.room)
        tracks = {link: one for link, one in self._tracks.get(room.room, {}).items() if link in fitting}
        if not tracks or window.occupancy < MIN_OCCUPANCY:
            return
        if before is not None and before <= window.end_ns < before + LOOK_S * 1e9:
            return
        self._looked_ns[room.room] = window.end_ns
        try:
            over = _look(room, window, tracks)
        except Exception:  # noqa: BLE001 - whatever foreign frames break here, predictions go on
            _log.exception("room %s: a window cannot be tracked", room.room)
            return
        if over:
            self._end_block(room, over, batch)
            self._judge(room, window.end_ns, book, now_ns, batch)

    def scores(self) -> dict[str, JsonValue]:
        """Drift by link, 0..1, of those that have a baseline which holds."""
        return {
            link: round(track.score(), 3)
            for tracks in self._tracks.values()
            for link, track in tracks.items()
        }

    def room_score(self, room: str) -> float | None:
        """Drift of the link of a room that has drifted most."""
        return max((round(one.score(), 3) for one in self._tracks.get(room, {}).values()), default=None)

    def _tracks_of(self, room: RoomRuntime) -> dict[str, Track]:
        known: Mapping[str, Track] = self._tracks.get(room.room, {})
        found: dict[str, Track] = {}
        for link, document in room.baselines.items():
            track = Track.of(document)
            if track is None:
                continue
            held = known.get(link)
            same = held is not None and (held.made_ns, held.baseline) == (track.made_ns, track.baseline)
            found[link] = held if held is not None and same else track
        return found

    def _serve(self, room: RoomRuntime) -> None:
        """Let predictions be made with the tracked floors."""
        served: dict[str, JsonValue] = dict(room.baselines)
        for link, track in self._tracks.get(room.room, {}).items():
            document = served.get(link)
            if isinstance(document, dict):
                served[link] = {**document, "log_moved": track.served()}
        room.baselines = served

    def _end_block(self, room: RoomRuntime, over: list[str], batch: Batch) -> None:
        self._serve(room)
        self._blocks[room.room] = self._blocks.get(room.room, 0) + 1
        if self._blocks[room.room] % BLOCKS_A_WRITE == 0:
            for link in over:
                track = self._tracks[room.room][link]
                batch.tracks[room.room, link] = (track.made_ns, track.to_json())

    def _judge(self, room: RoomRuntime, at_ns: int, book: AlertBook, now_ns: int, batch: Batch) -> None:
        score = self.room_score(room.room) or 0.0
        if score < SUGGEST:
            self._high_since_ns.pop(room.room, None)
            if score < CLEAR:
                self._suggest(room, book, now_ns, batch, holds=False)
        elif at_ns - self._high_since_ns.setdefault(room.room, at_ns) >= HOLD_S * 1e9:
            self._suggest(room, book, now_ns, batch, holds=True)

    def _suggest(self, room: RoomRuntime, book: AlertBook, now_ns: int, batch: Batch, *, holds: bool) -> None:
        links: dict[str, JsonValue] = {
            link: round(track.score(), 3) for link, track in self._tracks[room.room].items()
        }
        data: dict[str, JsonValue] = {
            "task": PRESENCE,
            "room": room.room,
            "reason": "drift",
            "drift_score": self.room_score(room.room),
            "links": links,
            "before": {"suggested": not holds},
            "after": {"suggested": holds},
        }
        if room.sources:
            data["source"] = next(iter(room.sources.values())).value
        fact = Fact(room.room, DRIFT, PRESENCE, holds, now_ns, now_ns, data=data)
        tell(book.judge(fact), now_ns, batch)


def _look(room: RoomRuntime, window: Window, tracks: Mapping[str, Track]) -> list[str]:
    """Show a window to the tracks; links whose block is over."""
    found = View(window).motions
    empty = _vacant(room, window) and not any(
        log_odds(one, tracks[link].baseline) >= 0 for link, one in found.items() if link in tracks
    )
    over = []
    for part in window.parts:
        track, moved = tracks.get(part.link), found.get(part.link)
        if track is None or moved is None:
            continue
        if track.take(moved, static_profile(part), empty=empty):
            over.append(part.link)
    return over


def _vacant(room: RoomRuntime, window: Window) -> bool:
    """Whether presence is known, and vacant in this very window: what is unknown may be anybody."""
    row = room.rows.get(PRESENCE)
    if row is None or row.memory.window != (window.start_ns, window.end_ns):
        return False
    return row.memory.value == "vacant" and row.memory.waiting is None
