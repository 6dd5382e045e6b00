"""A small service end: takes blocks, grants credit, and misbehaves on demand."""

import threading
import time
import uuid
from collections.abc import Callable
from types import TracebackType
from typing import Self

import zmq

from drivers.frame import FrameBlock
from drivers.wire import (
    BLOCK,
    Flush,
    Grant,
    Header,
    Hello,
    Refuse,
    pack_control,
    unpack_block,
    unpack_control,
)

DEADLINE_S = 30.0


def wait_for(what: Callable[[], object], why: str) -> None:
    """Wait until `what` is true."""
    end = time.monotonic() + DEADLINE_S
    while not what():
        assert time.monotonic() < end, f"waited {DEADLINE_S:g} s for {why}"
        time.sleep(0.005)


class Receiver:
    """A ROUTER on loopback in a thread.

    Attributes:
        window: credit it grants. acking: whether blocks are acknowledged. refusing: reason, or None.
        accepted: frames by `first`, each once. seen: every block as it came.
        hellos, flushes: what it was told. last_capture_ns: told with every grant.
    """

    def __init__(self, endpoint: str = "tcp://127.0.0.1:*", *, window: int = 8, processed: int = 0) -> None:
        self.window, self.acking, self.refusing = window, True, None
        self.processed = processed
        self.last_capture_ns: int | None = None
        self.accepted: list[tuple[Header, FrameBlock]] = []
        self.seen: list[Header] = []
        self.hellos: list[Hello] = []
        self.flushes: list[Flush] = []
        self.flush_answer = True
        self._service = uuid.uuid4().hex
        self._peer, self._session = b"", ""
        self._stop = threading.Event()
        context: zmq.Context[zmq.Socket[bytes]] = zmq.Context.instance()
        self._socket = context.socket(zmq.ROUTER)
        self._socket.linger = 0
        wait_for(lambda: self._bound(endpoint), f"{endpoint} to be free")
        self.endpoint = self._socket.get_string(zmq.LAST_ENDPOINT).rstrip("\0")
        self._thread = threading.Thread(target=self._run, daemon=True)

    refusing: str | None

    def _bound(self, endpoint: str) -> bool:
        try:
            self._socket.bind(endpoint)
        except zmq.ZMQError:
            return False
        return True

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join(DEADLINE_S)
        self._socket.close()

    @property
    def frames(self) -> int:
        """Frames accepted so far."""
        return sum(len(block) for _, block in self.accepted)

    def _run(self) -> None:
        while not self._stop.is_set():
            if self._socket.poll(20):
                peer, *parts = self._socket.recv_multipart()
                self._take(peer, parts)

    def _take(self, peer: bytes, parts: list[bytes]) -> None:
        if parts[0] == BLOCK:
            header, block = unpack_block(parts)
            self.seen.append(header)
            if header.first == self.processed and self.refusing is None:
                self.accepted.append((header, block))
                self.processed += header.count
            self._answer(peer, header.session)
            return
        message = unpack_control(parts)
        if isinstance(message, Hello):
            self.hellos.append(message)
        elif isinstance(message, Flush):
            self.flushes.append(message)
        self._answer(peer, message.session, flushed=self._is_flush_done(message))

    def _is_flush_done(self, message: object) -> bool:
        return isinstance(message, Flush) and self.flush_answer and message.published <= self.processed

    def _answer(self, peer: bytes, session: str, *, flushed: bool = False) -> None:
        if self.refusing is not None:
            answer: Grant | Refuse = Refuse(session, self.refusing, "said the test")
        else:
            acked = self.processed if self.acking else 0
            answer = Grant(self._service, session, acked, self.window, self.last_capture_ns, flushed)
        self._socket.send_multipart([peer, *pack_control(answer)])
