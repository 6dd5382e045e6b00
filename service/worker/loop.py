"""The worker's loop. One turn: take what arrived, predict what closed, commit, acknowledge, tell.

Every turn is bounded, in messages and in time spent on predictions, so that heartbeats, credit and commits
come at a steady pace under any load. One transaction a turn.
"""

import os
import time
import uuid
from collections import Counter, deque
from collections.abc import Callable
from typing import Final

import sqlalchemy as sa

from drivers.wire import Flush, Hello
from models.prediction import JsonValue
from models.sensing import Sensing
from models.signal.window import Window, WindowSpec
from service.bus.port import Delivery, Ingest, Signals
from service.inference.local_shelf import LocalShelf
from service.settings import Settings
from service.store.engine import Store
from service.store.eventlog import read_head
from service.worker.batch import Batch
from service.worker.building import Building
from service.worker.drift import DriftWatch
from service.worker.intake import Intake
from service.worker.patience import Patience
from service.worker.privacy import CHECK_S as PRIVACY_CHECK_S
from service.worker.privacy import Privacy
from service.worker.recalibration import Recalibrations
from service.worker.rooms import RoomRuntime
from service.worker.samples import Sampling
from service.worker.turns import Turns

POLL_S: Final = 0.05
GATHER_S: Final = 0.005
"""A short wait after the first message of a turn: it makes batches, and with them fewer transactions."""
GATHER_BELOW: Final = 32
PREDICT_BUDGET_S: Final = 0.05
HEARTBEAT_S: Final = 0.5
IDLE_CHECK_S: Final = 0.25
LAYOUT_CHECK_S: Final = 5.0
ALERT_LOOK_S: Final = 1.0
SAMPLE_CHECK_S: Final = 0.25
CALIBRATION_CHECK_S: Final = 0.5


class Worker:
    """All rooms of a site in one thread.

    Args:
        settings: of the site.
        store: where everything durable goes; this worker is the only one that writes states to it.
        ingest: where frames come from.
        signals: heartbeats and wake-up calls.
        sensing: the models.
        now_ns: host time.
    """

    def __init__(
        self,
        settings: Settings,
        store: Store,
        *,
        ingest: Ingest,
        signals: Signals,
        sensing: Sensing,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        self.service_id = uuid.uuid4().hex
        self.counters: Counter[str] = Counter()
        self._patience, self._turns = Patience(self._beat_if_due), Turns(self.service_id)
        store = store.patient(self._patience.wait)
        self._store, self._ingest, self._signals, self._sensing = store, ingest, signals, sensing
        self._shelf = LocalShelf(settings)
        self._now_ns = now_ns
        window = settings.window
        self._spec = WindowSpec(window.length_s, window.hop_s, window.lateness_s)
        self.intake = Intake(
            store,
            self.service_id,
            window=settings.ingest.window_blocks,
            rooms_by_header=settings.ingest.rooms_by_header,
        )
        self.privacy = Privacy(store, self._forget)  # first: what is erased from here on is noticed
        self.building = Building(store, self._spec, now_ns)
        self.sampling = Sampling(settings.samples, store, self._spec)
        self.recalibrations = Recalibrations(store, self._spec)
        self.drift = DriftWatch()
        self._pending: deque[tuple[RoomRuntime, Window]] = deque()
        self._batch = Batch()
        self._last_sequence = read_head(store)
        self._due = dict.fromkeys(
            ("heartbeat", "idle", "layout", "privacy", "samples", "calibrations", "alerts"), 0.0
        )

    def start(self) -> None:
        """Take over from the worker before: what it knew is unknown now, what it predicted stays."""
        self.recalibrations.start()
        self._read_layout()
        self._look_at_privacy()
        self.building.take_over(self._batch)
        self._commit()
        self._beat()

    def run(self, stop: Callable[[], bool]) -> None:
        """Turn until `stop`; then finish what was taken, so that nothing taken is unacknowledged."""
        self._patience.begin(stop)
        while not stop():
            self.turn(POLL_S)
        while self._pending:
            self._predict()
        self._settle()
        self.recalibrations.stop()

    def turn(self, timeout_s: float) -> None:
        """One turn; waits up to `timeout_s` for something to arrive."""
        self.counters["turns"] += 1
        self._hear_signals()
        if self._is_due("privacy", PRIVACY_CHECK_S):
            self._look_at_privacy()
        if not self._pending:
            self._receive(timeout_s)
        self._predict()
        if self._is_due("idle", IDLE_CHECK_S):
            self.building.look_for_silence(self.intake.ledgers, self._batch)
        if self._is_due("samples", SAMPLE_CHECK_S):
            self._answer_samples()
        if self._is_due("calibrations", CALIBRATION_CHECK_S):
            self.recalibrations.look(self.building.rooms, self.intake.ledgers, self._now_ns(), self._batch)
        if self._is_due("alerts", ALERT_LOOK_S):
            self.building.alerts.look(self._now_ns(), self._batch)
        self._settle()
        if self._is_due("heartbeat", HEARTBEAT_S):
            self._beat()

    def _look_at_privacy(self) -> None:
        self.privacy.look(self.building.rooms, self._now_ns(), self.building.book, self._batch)

    def _forget(self, name: str) -> None:
        """Nothing of this room that was not predicted yet ever is, nor can it be labelled any more."""
        self._pending = deque((room, window) for room, window in self._pending if room.room != name)
        self.sampling.recent.forget(name)

    def _receive(self, timeout_s: float) -> None:
        deliveries = list(self._ingest.poll(timeout_s))
        if 0 < len(deliveries) < GATHER_BELOW:
            time.sleep(GATHER_S)
            deliveries += self._ingest.poll(0.0)
        for delivery in deliveries:
            self._take(delivery)
        for link in self.intake.heard:
            self.building.hear(link, self.intake.ledgers, self._batch)
        self.intake.heard.clear()

    def _take(self, delivery: Delivery) -> None:
        match delivery.message:
            case Hello() as hello:
                self._greet(hello, delivery)
            case Flush() as flush:
                self.intake.flush(flush)
            case (header, block):
                room = self.intake.take(header, block, delivery.received_ns, self.building.rooms)
                if room is not None:
                    self._pending.extend((room, window) for window in room.closed())

    def _greet(self, hello: Hello, delivery: Delivery) -> None:
        refusal = self.intake.greet(delivery, hello, self.building.layout)
        if refusal is not None:
            self._ingest.reply(delivery.peer, refusal)
            return
        for follow in self.intake.follows:
            self.building.follow(follow, self.intake.ledgers, self._batch)
        self.intake.follows.clear()
        if self.intake.enrolled:
            self.intake.enrolled = False
            self._read_layout()
            self._last_sequence = read_head(self._store)
            self._signals.publish("rooms", {})
            self._signals.publish("events", {"sequence": self._last_sequence})

    def _predict(self) -> None:
        """Predict closed windows, oldest first, until the turn's share of time is used up."""
        self._close_flushed()
        until = time.monotonic() + PREDICT_BUDGET_S
        while self._pending and time.monotonic() < until:
            room, window = self._pending.popleft()
            made = room.predict(window, self._sensing)
            room.shadow(window, made, self._sensing, self._batch)
            room.observe(window, made, self._now_ns(), self.building.book, self._batch)
            self.sampling.take(room, window)
            self.recalibrations.take(room, window, made, self._now_ns(), self._batch)
            self.drift.take(room, window, self.building.book, self._now_ns(), self._batch)
            self.counters["windows"] += 1
            self._note_cursors(room)

    def _answer_samples(self) -> None:
        """Answer one labelled sample; who answers one looks again in the next turn."""
        if not self.sampling.is_asked():
            return
        self._look_at_privacy()  # what was erased before the sample was asked for is not to be in it
        answer = self.sampling.answer(self.building.rooms, self._now_ns())
        if answer is not None:
            self._batch.samples.append(answer)
            self._due["samples"] = 0.0

    def _close_flushed(self) -> None:
        """Links that ended: their room's last windows need not wait for later frames."""
        for link in sorted(self.intake.to_flush):
            ledger = self.intake.ledgers[link]
            if ledger.keeps_unacked:
                self.building.watch.end(link)
            room = self.building.rooms.get(ledger.room or "")
            if room is not None and not self.building.expects_frames(room):
                self._pending.extend((room, window) for window in room.closed(flush=True))

    def _note_cursors(self, room: RoomRuntime) -> None:
        for link in room.sources:
            ledger = self.intake.ledgers.get(link)
            if ledger is not None and ledger.last_capture_ns is not None:
                self._batch.cursors[link] = ledger.last_capture_ns

    def _settle(self) -> None:
        """Make the turn durable, then acknowledge what led to it."""
        if not self._pending:
            for link in self.intake.to_flush:
                ledger = self.intake.ledgers[link]
                if ledger.last_capture_ns is not None and not self.building.is_paused(ledger.room):
                    self._batch.cursors[link] = ledger.last_capture_ns
        self._commit()
        if not self._pending:
            for link in self.intake.to_flush:
                self.intake.ledgers[link].finish()
            self.intake.to_answer |= self.intake.to_flush
            self.intake.to_flush.clear()
        self.intake.answer(self._ingest, self.building.rooms)

    def _commit(self) -> None:
        self.building.alerts.hand_over(self._batch)
        if not self._batch:
            return
        batch, self._batch = self._batch, Batch()
        last = self._write(batch)
        self.counters["commits"] += 1
        self.counters["predictions"] += len(batch.predictions)
        self.counters["events"] += len(batch.events)
        if batch.samples:
            self._signals.publish("samples", {})
        if any(one.baselines for one in batch.calibrations):
            self._due["layout"] = 0.0  # the new baselines serve from the next turn on
        if last:
            self._last_sequence = last
            self._signals.publish("events", {"sequence": last})

    def _write(self, batch: Batch) -> int:
        """Write the batch, once; a store that is busy or gone only delays us."""
        self._turns.begin()
        while True:
            try:
                last = self._write_once(batch)
            except sa.exc.OperationalError as error:
                if not self._patience.wait(error):
                    raise
            else:
                self._turns.done()
                self._patience.well()
                return last

    def _write_once(self, batch: Batch) -> int:
        with self._store.write() as connection:
            return self._turns.once(connection, lambda begun: batch.write(begun, self._now_ns()))

    def _hear_signals(self) -> None:
        told = {topic for topic, _ in self._signals.poll(0.0)}
        if told & {"rooms", "jobs"} or self._is_due("layout", LAYOUT_CHECK_S):
            self._read_layout()
            self._sensing = self._shelf.news() or self._sensing
            self._due["privacy"] = 0.0
            told.add("alerts")
        if "alerts" in told:
            self.building.read_alerts(self._batch)
        if "samples" in told:
            self._due["samples"] = 0.0

    def _read_layout(self) -> None:
        """Rooms and links as the store has them now."""
        for link, room in self.building.read(self._batch):
            if room is None:
                self.intake.drop_link(link)
            elif link in self.intake.ledgers:
                self.intake.ledgers[link].room = room
        rooms = self.building.rooms
        self.drift.read(rooms, self.building.book, self._now_ns(), self._batch)
        self.recalibrations.read(self._now_ns(), self._batch)
        self.sampling.recent.keep_only(rooms)
        self._pending = deque(
            (room, window) for room, window in self._pending if rooms.get(room.room) is room
        )

    def _beat_if_due(self) -> None:
        if self._is_due("heartbeat", HEARTBEAT_S):
            self._beat()

    def _beat(self) -> None:
        links, unassigned = self.intake.reports(self._now_ns())
        counters: dict[str, JsonValue] = {**self.counters, "pending_windows": len(self._pending)}
        counters |= {f"ingest_rejected_{reason}": count for reason, count in self._ingest.rejected.items()}
        self._signals.publish(
            "heartbeat",
            {
                "part": "worker",
                "pid": os.getpid(),
                "time_ns": self._now_ns(),
                "service_id": self.service_id,
                "links": links,
                "unassigned": unassigned,
                "drift": self.drift.scores(),
                "counters": counters,
                "event_sequence": self._last_sequence,
            },
        )

    def _is_due(self, what: str, every_s: float) -> bool:
        now = time.monotonic()
        if now < self._due[what]:
            return False
        self._due[what] = now + every_s
        return True
