"""The frame stream on ZeroMQ: frames of all senders arrive at one ROUTER."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import zmq

from drivers.closing import Closing
from drivers.wire import Grant, Hello, Refuse, pack_control
from service.bus.curve import ANY_LINK, CurveFolder, Gate
from service.bus.intake import MAX_BATCH, MAX_PART_BYTES, MAX_PARTS, understand
from service.bus.port import Delivery
from service.errors import BusError

_RECEIVE_QUEUE = 256  # messages a peer; honest senders stop at their credit long before
_SEND_QUEUE = 64


class ZmqIngest(Closing):
    """Receiving end of the frame stream at a ``tcp://`` or ``ipc://`` endpoint.

    Args:
        endpoint: where to listen.
        curve: keys of who may deliver, and which link; None lets everybody who gets here.

    Raises:
        BusError: the endpoint cannot be bound, or the keys cannot be used.
    """

    def __init__(self, endpoint: str, curve: CurveFolder | None = None) -> None:
        self.rejected: Counter[str] = Counter()
        if curve is not None:
            curve.server_keys()  # a damaged file is an error before anything is open
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._gate = None if curve is None else Gate(self._context, curve)
        self._socket = self._context.socket(zmq.ROUTER)
        self._socket.set(zmq.RCVHWM, _RECEIVE_QUEUE)
        self._socket.set(zmq.SNDHWM, _SEND_QUEUE)
        self._socket.set(zmq.MAXMSGSIZE, MAX_PART_BYTES)
        self._socket.set(zmq.LINGER, 200)  # last grants may still leave
        if self._gate is not None:
            self._gate.guard(self._socket)
        try:
            _make_folder(endpoint)
            self._socket.bind(endpoint)
        except (zmq.ZMQError, OSError) as error:
            self.close()
            raise BusError(
                f"cannot listen for frames at {endpoint}: {error.strerror}; another service may run there: "
                "stop it, or set ingest.endpoint (ROOMTONE_INGEST__ENDPOINT) to a free address"
            ) from error
        self.endpoint = self._socket.get_string(zmq.LAST_ENDPOINT)

    def poll(self, timeout_s: float) -> Sequence[Delivery]:
        """Messages that wait, oldest first, at most `MAX_BATCH`."""
        deliveries: list[Delivery] = []
        if timeout_s and not self._socket.poll(round(timeout_s * 1000), zmq.POLLIN):
            return deliveries
        for _ in range(MAX_BATCH):
            try:
                sender = self._socket.recv(zmq.NOBLOCK, copy=False)  # a frame knows whose key it came with
                parts = self._socket.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                break
            if len(parts) > MAX_PARTS:
                self.rejected["unknown_topic"] += 1
                continue
            delivery = understand(sender.bytes, parts, time.time_ns(), self.rejected)
            if delivery is not None and self._is_allowed(sender, delivery):
                greets = isinstance(delivery.message, Hello)
                deliveries.append(replace(delivery, address=_address_of(sender)) if greets else delivery)
        return deliveries

    def _is_allowed(self, sender: zmq.Frame, delivery: Delivery) -> bool:
        """Whether the sender's key is that of the link it delivers; if not, it is told so."""
        if self._gate is None:
            return True
        message = delivery.message
        head = message[0] if isinstance(message, tuple) else message
        link = self._gate.link_of(str(sender["User-Id"]).encode())
        if link in {ANY_LINK, head.link}:
            return True
        self.rejected["foreign_key"] += 1
        detail = f"its key is not enrolled for link {head.link}: `roomtone links enroll` makes one"
        self.reply(delivery.peer, Refuse(head.session, "foreign_key", detail))
        return False

    def reply(self, peer: bytes, message: Grant | Refuse) -> None:
        """Answer a sender; a ROUTER drops what has nowhere to go, so this never blocks."""
        self._socket.send_multipart([peer, *pack_control(message)], zmq.NOBLOCK)

    def close(self) -> None:
        """Free the endpoint."""
        self._socket.close()
        if self._gate is not None:
            self._gate.close()
        self._context.term()


def _address_of(frame: zmq.Frame) -> str | None:
    """Network address of who sent this message; None where the transport has none."""
    try:
        return str(frame.get("Peer-Address")) or None
    except zmq.ZMQError:
        return None


def _make_folder(endpoint: str) -> None:
    """The folder an ``ipc://`` endpoint lies in."""
    if endpoint.startswith("ipc:///"):
        Path(endpoint.removeprefix("ipc://")).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
