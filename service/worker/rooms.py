"""One room in the worker: its frames, its open windows, its states."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field

from drivers.frame import FrameBlock
from drivers.wire import Source
from models.memory import RoomMemory
from models.prediction import JsonValue, Prediction, Reason
from models.sensing import Sensing
from models.signal.window import PushCount, RoomBuffer, Window, WindowSpec
from service.events import EventType
from service.rooms.alerting.alert import Fact
from service.rooms.alerting.book import AlertBook
from service.rooms.config import RoomConfig
from service.rooms.machine import changed, lose, pause, rule_of, step
from service.rooms.memory import Memory, document, fresh
from service.rooms.observation import Observation
from service.rooms.pause import PAUSED
from service.store.baselines import of_kind
from service.worker.alerts import tell
from service.worker.batch import Batch, Document, Event, StateRow
from service.worker.heads import Own
from service.worker.shadow import ShadowRun

_log = logging.getLogger(__name__)
_LEAST_LIVE_FIRST = (Source.SIMULATED, Source.REPLAY, Source.LIVE)


@dataclass(slots=True)
class RoomRuntime:
    """A room while its frames arrive.

    Attributes:
        own: heads of the room's own that serve, by task; `candidates` are in their shadow run.
        sources: where each link's frames come from.
        roamed: host time at which links last followed another sender.
        received_ns: host time of the newest frame that a window takes.
        rows: newest state by task, as stored.
        predicted_ns: end of the newest predicted window, capture time.
        paused: whether a privacy pause holds: nothing is taken, and no window is left.
    """

    room: str
    config: RoomConfig
    spec: WindowSpec
    baselines: Mapping[str, JsonValue] = field(default_factory=dict)
    own: Own = field(default_factory=dict)
    candidates: Own = field(default_factory=dict)
    rows: dict[str, StateRow] = field(default_factory=dict)
    predicted_ns: int | None = None
    sources: dict[str, Source] = field(default_factory=dict)
    roamed: dict[str, int] = field(default_factory=dict)
    received_ns: int | None = None
    paused: bool = field(init=False)
    buffer: RoomBuffer = field(init=False)
    recall: RoomMemory = field(init=False)
    _shadows: dict[int, ShadowRun] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._start_over()
        self.paused = any(row.memory.reason == PAUSED for row in self.rows.values())
        known = [row.memory.received_ns for row in self.rows.values() if row.memory.received_ns is not None]
        self.received_ns = max(known, default=None)

    def push(self, link: str, source: Source, block: FrameBlock, received_ns: int) -> PushCount:
        """Take a block of one of the room's links."""
        count = self.buffer.push(link, block)
        if count.accepted:  # frames that no window takes keep no state fresh
            self.sources[link] = source
            self.received_ns = received_ns
        return count

    def closed(self, *, flush: bool = False) -> list[Window]:
        """Windows that have closed; none, and a fresh start, if frames that no window can take got in."""
        try:
            return self.buffer.closed(flush=flush)
        except Exception:  # noqa: BLE001 - whatever foreign frames break in a buffer, the other rooms go on
            _log.exception("room %s starts over: its frames cannot be made into windows", self.room)
            self._start_over()
            return []

    def source_of(self, window: Window) -> Source:
        """Where a window's frames come from: the least live of its links speaks for it."""
        among = {self.sources[link] for link in window.links if link in self.sources} or set(
            self.sources.values()
        )
        return next((source for source in _LEAST_LIVE_FIRST if source in among), Source.LIVE)

    def baselines_for(self, window: Window) -> dict[str, JsonValue]:
        """Baselines that may serve this window."""
        return of_kind(self.baselines, simulated=self.source_of(window) is Source.SIMULATED)

    def horizon_ns(self) -> int | None:
        """Frames captured before this are needed by no further window; None before the first window."""
        if self.predicted_ns is None:
            return None
        return self.predicted_ns + round((self.spec.hop_s - self.spec.length_s) * 1e9)

    def observe(
        self, window: Window, made: list[Prediction], now_ns: int, book: AlertBook, batch: Batch
    ) -> None:
        """Take what the models said about a window: predictions, states, events and alerts into the batch."""
        source = self.source_of(window)
        facts: dict[str, JsonValue] = {
            "frames": window.frames,
            "occupancy": round(window.occupancy, 3),
            "links": list(window.links),
        }
        for prediction in made:
            seen = Observation(
                window.start_ns, window.end_ns, now_ns, self.received_ns or now_ns, source, prediction
            )
            batch.predict(self.room, seen, facts)
            before = self._memory(prediction.task, now_ns)
            self._become(step(before, seen, rule_of(prediction.task, self.config)), now_ns, book, batch)
        self.predicted_ns = window.end_ns

    def predict(self, window: Window, sensing: Sensing) -> list[Prediction]:
        """What the models and the room's own heads say about a window."""
        return sensing.predict(
            window,
            self.config.tasks,
            source=self.source_of(window),
            baselines=self.baselines_for(window),
            room=self.room,
            memory=self.recall,
            own=self.own,
        )

    def shadow(self, window: Window, made: list[Prediction], sensing: Sensing, batch: Batch) -> None:
        """Ask candidates about the same window, and keep how they compare. They remember nothing."""
        for active in made:
            candidate = self.candidates.get(active.task)
            if candidate is None:
                continue
            asked = {active.task: candidate}
            said = sensing.predict(
                window,
                [active.task],
                source=self.source_of(window),
                baselines=self.baselines_for(window),
                room=self.room,
                own=asked,
            )
            run = self._shadows.setdefault(candidate.version, ShadowRun(candidate.version, self.spec.hop_s))
            run.see(said[0], active)
            batch.shadows[candidate.version] = run.report()
        for gone in set(self._shadows) - {one.version for one in self.candidates.values()}:
            del self._shadows[gone]

    def lose(self, reason: str, now_ns: int, book: AlertBook, batch: Batch, *, only_ok: bool = False) -> None:
        """Nothing is known any more, for this reason; with `only_ok`, of tasks whose state holds a value."""
        for row in list(self.rows.values()):
            if row.memory.reason != reason and (row.memory.ok or not only_ok):
                self._become(lose(row.memory, reason, now_ns), now_ns, book, batch)

    def pause(self, now_ns: int, book: AlertBook, batch: Batch) -> None:
        """Forget what was seen, and say of every task that the room is paused; a second time says nothing."""
        if not self.paused:
            self.paused = True
            self._start_over()
            self.sources.clear()
            self._shadows.clear()
            batch.paused.add(self.room)
        for task in {*self.config.tasks, *self.rows}:
            before = self._memory(task, now_ns)
            if before.reason != PAUSED:
                self._become(pause(before, now_ns), now_ns, book, batch)

    def resume(self, now_ns: int, book: AlertBook, batch: Batch) -> None:
        """Nothing is known until the next window; silence counts from now on."""
        self.paused, self.received_ns = False, now_ns
        for row in list(self.rows.values()):
            if row.memory.reason == PAUSED:
                self._become(lose(row.memory, Reason.NO_FRAMES, now_ns), now_ns, book, batch)

    def forget(self) -> None:
        """Somebody erased what was seen here: states begin anew, and windows with later frames."""
        self._start_over()
        self.rows.clear()
        self._shadows.clear()

    def is_stale(self, now_ns: int) -> bool:
        """Whether nothing arrived for longer than the room allows."""
        age_ns = now_ns - (self.received_ns or 0)
        return bool(self.rows) and not self.paused and age_ns > self.config.stale_after_s * 1e9

    def _start_over(self) -> None:
        self.buffer, self.recall = RoomBuffer(self.spec), RoomMemory()
        if self.predicted_ns is not None:
            self.buffer.skip_to(self.predicted_ns)

    def _memory(self, task: str, now_ns: int) -> Memory:
        row = self.rows.get(task)
        return row.memory if row else fresh(task, now_ns, "no_frames")

    def _become(self, after: Memory, now_ns: int, book: AlertBook, batch: Batch) -> None:
        """The task's state is now this: keep it, and say so where it matters."""
        old = self.rows.get(after.task)
        shown = document(after, self.config.stale_after_s).model_dump(mode="json")
        row = StateRow(after, shown, old.sequence if old else 0)
        self.rows[after.task] = row
        before = old.memory if old else None
        data = _change(old.document if old else None, shown)
        told = changed(before, after)
        event = Event(EventType.PREDICTION_CHANGED, self.room, data, now_ns) if told else None
        batch.keep(self.room, row, event)
        resumed = told and before is not None and not before.ok
        tell(book.judge(self._fact(after, now_ns, data, resumed=resumed)), now_ns, batch)

    def _fact(self, memory: Memory, now_ns: int, data: Mapping[str, JsonValue], *, resumed: bool) -> Fact:
        from_ns, at_ns = memory.window or (None, now_ns)
        return Fact(
            room=self.room,
            about=memory.task,
            subject=memory.task,
            value=memory.value,
            at_ns=at_ns,
            now_ns=now_ns,
            from_ns=from_ns,
            resumed=resumed,
            data=data,
        )


def _change(before: Document | None, after: Document) -> dict[str, JsonValue]:
    return {"task": after["task"], "before": before, "after": after, "source": after["source"]}
