"""A part's line to the service's bus: a thread of its own, since bus sockets belong to one thread."""

import os
import queue
import threading
import time
from collections.abc import Callable, Mapping

import structlog

from models.prediction import JsonValue
from service.bus.port import Signals
from service.errors import BusError

HEARTBEAT_S = 0.5
_POLL_S = 0.05
_RETRY_S = 1.0
_log = structlog.get_logger(__name__)

Body = Mapping[str, JsonValue]


class SignalLine:
    """Publishes our heartbeat and what others ask to publish; hands every signal heard to `on_signal`.

    `trouble` says why the bus does not work, None if it does.

    Args:
        connect: opens the part's signals.
        on_signal: called on the line's own thread.
        part: as heartbeats name it.
        more: what else a heartbeat says; called on the line's own thread.
    """

    def __init__(
        self,
        connect: Callable[[], Signals],
        on_signal: Callable[[str, Body], None],
        *,
        part: str = "api",
        more: Callable[[], Body] = dict,
    ) -> None:
        self._connect = connect
        self._on_signal = on_signal
        self._part, self._more = part, more
        self._outgoing: queue.SimpleQueue[tuple[str, Body]] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="signals", daemon=True)
        self.trouble: str | None = "not started"

    def start(self) -> None:
        """Begin to listen and to beat."""
        self._thread.start()

    def stop(self) -> None:
        """Leave the bus; returns when the thread has ended."""
        self._stop.set()
        self._thread.join()

    def publish(self, topic: str, body: Body) -> None:
        """Send a signal soon; from any thread, never blocks."""
        self._outgoing.put((topic, body))

    def _run(self) -> None:
        while not self._stop.is_set():
            try:
                with self._connect() as signals:
                    self.trouble = None
                    self._talk(signals)
            except BusError as error:
                self.trouble = str(error)
                _log.error("bus_unavailable", reason=str(error))
                self._stop.wait(_RETRY_S)

    def _talk(self, signals: Signals) -> None:
        next_beat = 0.0
        while not self._stop.is_set():
            if time.monotonic() >= next_beat:
                next_beat = time.monotonic() + HEARTBEAT_S
                signals.publish("heartbeat", self._beat())
            while not self._outgoing.empty():
                signals.publish(*self._outgoing.get())
            for topic, body in signals.poll(_POLL_S):
                self._on_signal(topic, body)

    def _beat(self) -> Body:
        return {"part": self._part, "pid": os.getpid(), "time_ns": time.time_ns(), **self._more()}
