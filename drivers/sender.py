"""Delivers blocks of one link to a service: credit, repeated hello, and what happens when it restarts.

A *lossless* sender (replay) waits for credit and keeps every block until the service has processed it; a
service that restarts gets the unprocessed ones again. A live sender never waits: without credit a block is
dropped and its frames are counted. See `drivers.wire` for the messages.
"""

import time
import uuid
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import cast

import zmq
from zmq.utils.monitor import recv_monitor_message

from drivers.closing import Closing
from drivers.curve import HANDSHAKE_EVENTS, CurveKeys, Handshake
from drivers.errors import DeliveryError
from drivers.frame import FrameBlock
from drivers.wire import (
    SCHEMA_VERSION,
    ClockReport,
    Flush,
    Grant,
    Hello,
    Refuse,
    Source,
    pack_block,
    pack_control,
    unpack_control,
)

HELLO_EVERY_S = 1.0
CONNECT_TIMEOUT_S = 10.0
SILENCE_TIMEOUT_S = 60.0
_STEP_S = 0.1
_LINGER_MS = 1000


@dataclass(frozen=True, slots=True)
class _Block:
    end: int
    count: int
    parts: list[bytes]


class Sender(Closing):
    """Sends blocks of one link; single-threaded, a context manager.

    Args:
        endpoint: the service's ingest endpoint, e.g. ``"tcp://127.0.0.1:5570"``.
        link: name of the link; `room` names its room for a service that creates rooms by header.
        nic: registry name of the NIC.
        source: what the frames are; it travels with every prediction.
        lossless: wait for credit instead of dropping; by default for replays only.
        connect_timeout_s: how long `connect` waits for the first answer.
        silence_timeout_s: how long a lossless sender bears a service that says nothing.
        curve: keys that the service's endpoint wants; by default those in ``ROOMTONE_CURVE``, if it is set.

    Attributes:
        published: frames given to the socket; `acked`: of these, processed by the service and durable;
            `lost`: of these, under way when the service or the connection died (live only).
        dropped: frames never sent, for want of credit (live only).
        resent: frames sent again to a service that restarted (lossless only).
        refusal: why the service does not take the frames, None while it does.
        last_capture_ns: the link's newest capture time that the service knows, Unix ns, None if none.
        rejected: the parser's rejects by reason, told to the service with the next hello; set by the caller,
            as are `lost_at_source`, `transmitter`, `roamed`, `unauthenticated` and `clock` (see `Hello`).
    """

    def __init__(
        self,
        endpoint: str,
        *,
        link: str,
        room: str | None = None,
        nic: str,
        source: Source,
        lossless: bool | None = None,
        connect_timeout_s: float = CONNECT_TIMEOUT_S,
        silence_timeout_s: float = SILENCE_TIMEOUT_S,
        curve: CurveKeys | None = None,
    ) -> None:
        self.endpoint, self.link, self.room, self.nic, self.source = endpoint, link, room, nic, source
        self.lossless = source is Source.REPLAY if lossless is None else lossless
        self.session = uuid.uuid4().hex
        self.published = self.acked = self.lost = self.dropped = self.resent = 0
        self.refusal: Refuse | None = None
        self.last_capture_ns: int | None = None
        self.rejected: Mapping[str, int] = {}
        self.lost_at_source: Mapping[str, int] = {}
        self.transmitter = self.roamed = 0
        self.unauthenticated = False
        self.clock = ClockReport()
        self._connect_timeout_s, self._silence_timeout_s = connect_timeout_s, silence_timeout_s
        self._service: str | None = None
        self._window, self._under_way = 0, 0
        self._flushed = self._broken = False
        self._unacked: deque[_Block] = deque()
        self._greeted = self._knocked = float("-inf")
        self._heard = time.monotonic()
        curve = curve or CurveKeys.from_environment()
        self._handshake = Handshake(has_keys=curve is not None)
        self._socket = self._open(curve)
        self._monitor = self._socket.get_monitor_socket(zmq.EVENT_DISCONNECTED | HANDSHAKE_EVENTS)
        self._connect_socket()

    def _open(self, curve: CurveKeys | None) -> "zmq.Socket[bytes]":
        context: zmq.Context[zmq.Socket[bytes]] = zmq.Context.instance()
        socket = context.socket(zmq.DEALER)
        socket.setsockopt(zmq.LINGER, _LINGER_MS)
        socket.setsockopt(zmq.SNDHWM, 0)  # credit is the bound; a second one would only hide it
        socket.setsockopt(zmq.IMMEDIATE, 1)  # nothing waits in a pipe for a service that is not there
        socket.setsockopt(zmq.RECONNECT_IVL_MAX, 1000)
        if curve is not None:
            curve.secure(socket)
        return socket

    def _connect_socket(self) -> None:
        try:
            self._socket.connect(self.endpoint)
        except zmq.ZMQError as error:
            self.close()
            raise DeliveryError(
                f"{self.endpoint!r} is no endpoint ({error.strerror}); expected e.g. tcp://127.0.0.1:5570"
            ) from error

    def close(self) -> None:
        """Close the connection; what the service has not processed yet is not waited for."""
        self._socket.disable_monitor()
        self._monitor.close(linger=0)
        self._socket.close()

    @property
    def trouble(self) -> str | None:
        """Why no connection comes about, in words that say what to do; None while nothing is known."""
        return self._handshake.problem

    @property
    def granted(self) -> bool:
        """Whether the service has ever answered with credit."""
        return self._service is not None

    @property
    def under_way(self) -> int:
        """Frames published and neither acknowledged nor lost."""
        return sum(block.count for block in self._unacked)

    def connect(self) -> None:
        """Wait until the service grants credit; `last_capture_ns` is known then.

        Raises:
            DeliveryError: nobody answers within `connect_timeout_s`, the keys do not fit, or the frames are
                refused.
        """
        deadline = time.monotonic() + self._connect_timeout_s
        while not self.granted:
            if self.trouble is not None:
                raise DeliveryError(f"no connection to {self.endpoint}: {self.trouble}")
            if time.monotonic() > deadline:
                raise DeliveryError(
                    f"no service answered at {self.endpoint} within {self._connect_timeout_s:g} s; "
                    "start one with `roomtone run`, or name its ingest endpoint with --to"
                )
            self.pump(_STEP_S)
            self._raise_refusal()

    def send(self, block: FrameBlock) -> bool:
        """Send one block (capture times in Unix ns); False if it was dropped for want of credit.

        A lossless sender waits for credit instead.

        Raises:
            DeliveryError: (lossless) the frames are refused, or the service fell silent.
        """
        self.pump()
        if self.lossless:
            self._await(lambda: self.granted and len(self._unacked) < self._window)
        elif self.refusal is not None or len(self._unacked) >= self._window:
            self.dropped += len(block)
            return False
        return self._publish(block)

    def _publish(self, block: FrameBlock) -> bool:
        parts = pack_block(
            block,
            session=self.session,
            link=self.link,
            room=self.room,
            source=self.source,
            first=self.published,
            host_ns=time.time_ns(),
        )
        self.published += len(block)
        self._unacked.append(_Block(self.published, len(block), parts))
        self._push()
        if self.lossless or self._under_way == len(self._unacked):
            return True
        self._unacked.pop()  # a live block that no connection takes now is worth nothing later
        self.published -= len(block)
        self.dropped += len(block)
        return False

    def drain(self, timeout_s: float | None = None) -> None:
        """Say that nothing follows, and return when all is processed and the last windows are closed.

        Raises:
            DeliveryError: the frames are refused, the service fell silent, or `timeout_s` passed.
        """
        self._flushed = False
        self._greeted = float("-inf")  # the last word on rejects, sender and losses
        deadline = None if timeout_s is None else time.monotonic() + timeout_s
        flushed_at = float("-inf")
        self._heard = time.monotonic()
        while self._unacked or not self._flushed:
            now = time.monotonic()
            if deadline is not None and now > deadline:
                raise DeliveryError(
                    f"{self.endpoint} has not processed the last {self.under_way} of {self.published} frames "
                    f"of link {self.link} within {timeout_s:g} s"
                )
            if now - flushed_at >= HELLO_EVERY_S and self.granted:
                flushed_at = now
                self._send_parts(pack_control(self._flush_message()))
            self.pump(_STEP_S)
            self._raise_refusal()
            self._raise_silence()

    def wait_until(self, monotonic_s: float) -> None:
        """Sleep until this time of `time.monotonic`, taking the service's answers meanwhile."""
        while (left := monotonic_s - time.monotonic()) > 0:
            self.pump(min(left, _STEP_S))

    def pump(self, timeout_s: float = 0.0) -> None:
        """Greet when it is time, take what the service says (waiting up to `timeout_s` for it), send on."""
        self._greet()
        self._watch_connection()
        if self._socket.poll(round(timeout_s * 1000)) if timeout_s else _has_input(self._socket):
            while (parts := self._receive()) is not None:
                self._hear(parts)
        self._push()

    def _await(self, done: Callable[[], bool]) -> None:
        self._heard = time.monotonic()
        while not done():
            self.pump(_STEP_S)
            self._raise_refusal()
            self._raise_silence()

    def _raise_refusal(self) -> None:
        if self.refusal is not None and self.lossless:
            raise DeliveryError(
                f"{self.endpoint} refuses link {self.link}: {self.refusal.reason}: {self.refusal.detail}"
            )

    def _raise_silence(self) -> None:
        silent = time.monotonic() - self._heard
        if silent > self._silence_timeout_s:
            raise DeliveryError(
                f"the service at {self.endpoint} has said nothing for {silent:.0f} s; {self.under_way} of "
                f"{self.published} frames of link {self.link} are not processed. Start it again and repeat"
            )

    def _greet(self) -> None:
        now = time.monotonic()
        if now - self._greeted < HELLO_EVERY_S:
            return
        hello = Hello(
            schema=SCHEMA_VERSION,
            session=self.session,
            link=self.link,
            room=self.room,
            nic=self.nic,
            source=self.source,
            published=self.published,
            acked=self.acked,
            rejected=dict(self.rejected),
            dropped=self.dropped,
            lost_at_source=dict(self.lost_at_source),
            transmitter=self.transmitter,
            roamed=self.roamed,
            unauthenticated=self.unauthenticated,
            clock=self.clock,
        )
        if self._send_parts(pack_control(hello)):
            self._greeted = now

    def _flush_message(self) -> Flush:
        return Flush(
            session=self.session,
            link=self.link,
            published=self.published,
            rejected=dict(self.rejected),
            dropped=self.dropped,
        )

    def _send_parts(self, parts: list[bytes]) -> bool:
        try:
            self._socket.send_multipart(parts, zmq.NOBLOCK, copy=True)
        except zmq.Again:
            return False
        return True

    def _receive(self) -> list[bytes] | None:
        try:
            return self._socket.recv_multipart(zmq.NOBLOCK)
        except zmq.Again:
            return None

    def _watch_connection(self) -> None:
        """A connection that broke may have swallowed blocks, even if the same service comes back."""
        while _has_input(self._monitor):
            event = recv_monitor_message(self._monitor)["event"]
            self._handshake.note(event)
            if event == zmq.EVENT_DISCONNECTED:
                self._broken, self._greeted = True, float("-inf")
        self._knock_again()

    def _knock_again(self) -> None:
        """ZeroMQ gives an endpoint up that refuses its key; the key may be enrolled any moment."""
        now = time.monotonic()
        if not self._handshake.given_up or now - self._knocked < HELLO_EVERY_S:
            return
        self._knocked = now
        self._socket.disconnect(self.endpoint)
        self._socket.connect(self.endpoint)

    def _hear(self, parts: list[bytes]) -> None:
        message = unpack_control(parts)
        if not isinstance(message, Grant | Refuse) or message.session != self.session:
            return
        self._heard = time.monotonic()
        if isinstance(message, Refuse):
            self.refusal = message
        else:
            self._take(message)

    def _take(self, grant: Grant) -> None:
        self.refusal = None
        restarted = self._service not in {None, grant.service_id}
        self._service, self._window = grant.service_id, grant.window
        self.last_capture_ns = grant.last_capture_ns
        self._flushed |= grant.flushed  # a grant that answers a later hello does not take it back
        while self._unacked and self._unacked[0].end <= grant.acked:
            block = self._unacked.popleft()
            self.acked += block.count
            self._under_way -= 1
        if restarted or self._broken:
            self._broken = False
            self._start_over()

    def _start_over(self) -> None:
        """What was under way to a service or over a connection that is gone: send again, or count as lost."""
        if self.lossless:
            self.resent += sum(block.count for block in list(self._unacked)[: self._under_way])
        else:
            self.lost += self.under_way
            self._unacked.clear()
        self._under_way = 0

    def _push(self) -> None:
        """Give the socket every block that credit allows and that is not under way."""
        while self._under_way < min(self._window, len(self._unacked)):
            if not self._send_parts(self._unacked[self._under_way].parts):
                return
            self._under_way += 1


def _has_input(socket: "zmq.Socket[bytes]") -> bool:
    """Whether a message waits; several times quicker than a poll that does not wait."""
    return bool(cast("int", socket.getsockopt(zmq.EVENTS)) & zmq.POLLIN)
