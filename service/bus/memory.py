"""The bus inside one process: same behaviour as on ZeroMQ, for tests and for trying things out."""

import queue
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from threading import Lock

from drivers.closing import Closing
from drivers.wire import Control, Grant, Refuse, pack_control, unpack_control
from models.prediction import JsonValue
from service.bus.intake import MAX_BATCH, MAX_PARTS, understand
from service.bus.port import Delivery
from service.errors import BusError

_RECEIVE_QUEUE = 256
_SEND_QUEUE = 64
_SIGNAL_QUEUE = 1000
_Parts = Sequence[bytes]
_Signal = tuple[str, Mapping[str, JsonValue]]


class MemorySender:
    """Sending side: what a DEALER socket is on ZeroMQ."""

    def __init__(self, hub: "MemoryHub", peer: bytes) -> None:
        self._hub = hub
        self._peer = peer
        self._answers: queue.Queue[_Parts] = queue.Queue(_SEND_QUEUE)

    def send(self, parts: _Parts) -> None:
        """Hand over a message; waits while the receiver is slow.

        Raises:
            queue.Full: it stayed slow for a minute.
        """
        self._hub.inbox.put((self._peer, [bytes(part) for part in parts]), timeout=60)

    def receive(self, timeout_s: float) -> Control | None:
        """The next answer; None if none came in time."""
        try:
            return unpack_control(list(self._answers.get(timeout=timeout_s)))
        except queue.Empty:
            return None

    def answer(self, parts: _Parts) -> None:
        """Called by the receiving side; an answer that finds the queue full is lost."""
        try:
            self._answers.put_nowait(parts)
        except queue.Full:
            return


class MemoryHub:
    """Everything that travels between the ends of one in-process bus."""

    def __init__(self) -> None:
        self.inbox: queue.Queue[tuple[bytes, _Parts]] = queue.Queue(_RECEIVE_QUEUE)
        self.senders: dict[bytes, MemorySender] = {}
        self.listeners: dict[int, tuple[frozenset[str], queue.Queue[_Signal]]] = {}
        self.bound = False
        self.lock = Lock()

    def sender(self) -> MemorySender:
        """A new sending end."""
        with self.lock:
            peer = len(self.senders).to_bytes(5)
            self.senders[peer] = MemorySender(self, peer)
            return self.senders[peer]


class MemoryIngest(Closing):
    """Receiving end of the frame stream of a hub.

    Raises:
        BusError: the hub has one already.
    """

    def __init__(self, hub: MemoryHub) -> None:
        self.rejected: Counter[str] = Counter()
        self._hub = hub
        with hub.lock:
            if hub.bound:
                raise BusError("cannot listen for frames: another receiver holds this memory bus; close it")
            hub.bound = True

    def poll(self, timeout_s: float) -> Sequence[Delivery]:
        """Messages that wait, oldest first, at most `MAX_BATCH`."""
        deliveries: list[Delivery] = []
        for number in range(MAX_BATCH):
            try:
                peer, parts = self._hub.inbox.get(block=number == 0, timeout=timeout_s)
            except queue.Empty:
                break
            if len(parts) > MAX_PARTS:
                self.rejected["unknown_topic"] += 1
            elif delivery := understand(peer, parts, time.time_ns(), self.rejected):
                deliveries.append(delivery)
        return deliveries

    def reply(self, peer: bytes, message: Grant | Refuse) -> None:
        """Answer a sender; an answer to a sender that is gone or does not read is lost."""
        if sender := self._hub.senders.get(peer):
            sender.answer(pack_control(message))

    def close(self) -> None:
        """Let another receiver in."""
        self._hub.bound = False


class MemorySignals(Closing):
    """Signals of one part on a hub; arguments as of `service.bus.signals.ZmqSignals`."""

    def __init__(self, hub: MemoryHub, part: str | None, listen_to: Sequence[str]) -> None:
        self._hub = hub
        self._part = part
        self._waiting: queue.Queue[_Signal] = queue.Queue(_SIGNAL_QUEUE)
        with hub.lock:
            hub.listeners[id(self)] = (frozenset(listen_to), self._waiting)

    def publish(self, topic: str, body: Mapping[str, JsonValue]) -> None:
        """Tell everybody who listens; who is too slow misses it."""
        if self._part is None:
            return
        with self._hub.lock:
            ears = [ear for parts, ear in self._hub.listeners.values() if self._part in parts]
        for ear in ears:
            try:
                ear.put_nowait((topic, dict(body)))
            except queue.Full:
                continue

    def poll(self, timeout_s: float) -> Sequence[_Signal]:
        """Signals that wait, at most `MAX_BATCH`."""
        signals: list[_Signal] = []
        for number in range(MAX_BATCH):
            try:
                signals.append(self._waiting.get(block=number == 0, timeout=timeout_s))
            except queue.Empty:
                break
        return signals

    def close(self) -> None:
        """Leave the bus."""
        with self._hub.lock:
            self._hub.listeners.pop(id(self), None)
