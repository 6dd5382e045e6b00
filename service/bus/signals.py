"""Signals on ZeroMQ: each part of the service has a PUB socket of its own, which the others listen to."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import zmq
from zmq.auth.thread import ThreadAuthenticator

from drivers.closing import Closing
from models.prediction import JsonValue
from service.bus.intake import MAX_BATCH, MAX_PART_BYTES
from service.bus.mesh import Mesh
from service.errors import BusError

_QUEUE = 1000
_RECONNECT_MS, _RECONNECT_MAX_MS = 100, 1000
_PING_MS, _DEAD_MS = 2000, 6000
"""A machine that vanished without a word is noticed, and connected to again when it is back."""


class ZmqSignals(Closing):
    """Signals of one part of the service: its own PUB socket, and a SUB socket on the other parts'.

    Args:
        folder: where the sockets of parts on this machine lie, ``PART.signals`` each.
        part: the name of this part; None listens only.
        listen_to: the parts to hear. They need not run yet, and may come back.
        mesh: which parts are reached over TCP.

    Raises:
        BusError: this part cannot listen where it should.
    """

    def __init__(
        self, folder: Path, part: str | None, listen_to: Sequence[str], mesh: Mesh | None = None
    ) -> None:
        self._folder, self._mesh = folder, mesh or Mesh()
        self._context = zmq.Context()
        self._pub: zmq.Socket[bytes] | None = None
        self._zap: ThreadAuthenticator | None = None
        self._sub = self._open_sub(listen_to)
        if part is not None:
            self._pub = self._open_pub(part)

    def _open_sub(self, listen_to: Sequence[str]) -> "zmq.Socket[bytes]":
        sub = self._context.socket(zmq.SUB)
        sub.set(zmq.RCVHWM, _QUEUE)
        sub.set(zmq.MAXMSGSIZE, MAX_PART_BYTES)
        sub.set(zmq.RECONNECT_IVL, _RECONNECT_MS)
        sub.set(zmq.RECONNECT_IVL_MAX, _RECONNECT_MAX_MS)
        sub.set(zmq.LINGER, 0)
        sub.subscribe(b"")
        far = self._mesh.endpoints
        for other in listen_to:
            if other not in far:
                sub.connect(_address(self._folder, other))
        self._mesh.show(sub)  # of what is connected from here on; parts on this machine ask for no key
        sub.set(zmq.HEARTBEAT_IVL, _PING_MS)
        sub.set(zmq.HEARTBEAT_TIMEOUT, _DEAD_MS)
        for other in listen_to:
            if other in far:
                sub.connect(far[other])
        return sub

    def _open_pub(self, part: str) -> "zmq.Socket[bytes]":
        pub = self._context.socket(zmq.PUB)
        pub.set(zmq.SNDHWM, _QUEUE)
        pub.set(zmq.LINGER, 0)
        endpoint = self._mesh.listening(part)
        try:
            if endpoint is None:
                self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                pub.bind(_address(self._folder, part))
            else:
                self._zap = self._mesh.guard(self._context, pub)
                pub.bind(endpoint)
        except (zmq.ZMQError, OSError) as error:
            pub.close()
            self.close()
            where, advice = (
                (f"in {self._folder}", "is it writable?")
                if endpoint is None
                else (f"at {endpoint}", f"is bus.signals.{part} an address of this machine, and free?")
            )
            raise BusError(f"cannot open the bus {where}: {error.strerror}; {advice}") from error
        return pub

    def publish(self, topic: str, body: Mapping[str, JsonValue]) -> None:
        """Tell everybody who listens; a PUB drops for who is too slow, so this never blocks."""
        if self._pub is not None:
            self._pub.send_multipart([topic.encode(), msgspec.msgpack.encode(dict(body))], zmq.NOBLOCK)

    def poll(self, timeout_s: float) -> Sequence[tuple[str, Mapping[str, JsonValue]]]:
        """Signals that wait, at most `MAX_BATCH`; what is not a signal is passed over."""
        signals: list[tuple[str, Mapping[str, JsonValue]]] = []
        if timeout_s and not self._sub.poll(round(timeout_s * 1000), zmq.POLLIN):
            return signals
        for _ in range(MAX_BATCH):
            try:
                parts = self._sub.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                break
            if signal := _read(parts):
                signals.append(signal)
        return signals

    def close(self) -> None:
        """Leave the bus."""
        self._sub.close()
        if self._pub is not None:
            self._pub.close()
        if self._zap is not None:
            self._zap.stop()
        self._context.term()


def _address(folder: Path, part: str) -> str:
    return f"ipc://{folder / part}.signals"


def _read(parts: Sequence[bytes]) -> tuple[str, Mapping[str, JsonValue]] | None:
    try:
        topic, body = parts
        return topic.decode(), msgspec.msgpack.decode(body, type=dict[str, Any])
    except (ValueError, msgspec.MsgspecError):
        return None
