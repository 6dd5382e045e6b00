"""``tls:[HOST]:PORT``: records from a forwarder on an old host, over TLS with a one-time token.

Listens for one enrolled forwarder (`drivers.live.enrolment`). Everything a stranger can do is bounded: few
connections that are not known yet, each with little time and few bytes. A new connection with the right
secret takes the place of the old one, which may be dead without anybody having said so.
"""

import selectors
import socket
import ssl
import time
from pathlib import Path

from drivers.errors import SourceError
from drivers.live import enrolment as enrolled
from drivers.live.base import IDLE_S, LiveSource
from drivers.live.forwarded import (
    MAX_GREETING,
    ForwardError,
    Greeting,
    Run,
    read_greeting,
    read_record,
)
from drivers.live.tls_peer import Peer
from drivers.registry import Nic

SILENCE_S = 15.0
"""A forwarder says something every second; one that is silent for so long is dead."""
MAX_STRANGERS = 16


def open(rest: str, nic: Nic, *, enrolment: str | Path | None = None) -> LiveSource:  # noqa: A001 - as every transport
    """Listen at ``[HOST]:PORT`` (by default on every address) for the forwarder enrolled in that folder.

    Raises:
        SourceError: no address, no enrolment, or the port is taken.
    """
    if enrolment is None:
        raise SourceError("source tls: needs --enrolment, the folder that `roomtone links enroll` made")
    return TlsSource(nic, _listen(rest), Path(enrolment))


def _listen(rest: str) -> socket.socket:
    host, _, port = rest.rpartition(":")
    if not port.isdigit() or not int(port) < 65536:
        raise SourceError(f"tls:{rest} is no address; write tls:PORT or tls:HOST:PORT, e.g. tls:0.0.0.0:5580")
    host = host.strip("[]")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, int(port)), family=family, backlog=MAX_STRANGERS)
    except OSError as error:
        raise SourceError(f"cannot listen at tls:{rest}: {error.strerror or error}") from error


class TlsSource(LiveSource):
    """Records of the enrolled forwarder, wrapped as a capture file would hold them.

    Refused connections are counted in `ignored` by reason; what the forwarder and the way lost, in `lost`:
    ``forwarder_queue``, ``socket_overflow``, ``connection_lost``.

    Args:
        nic: whose records these are.
        sock: a listening TCP socket; closed with the source.
        folder: the link's enrolment.

    Raises:
        SourceError: the folder holds no usable enrolment.
    """

    def __init__(self, nic: Nic, sock: socket.socket, folder: Path) -> None:
        host, port, *_ = sock.getsockname()
        super().__init__(nic, f"forwarder at {host}:{port} (TLS)")
        self.port = int(port)
        self._folder, self._listener = folder, sock
        self._peers: list[Peer] = []
        self._peer: Peer | None = None
        self._run: Run | None = None
        self._records: list[bytes] = []
        self._selector = selectors.DefaultSelector()
        try:
            self._context = _context(folder)
            self._check_nic()
        except SourceError:
            sock.close()
            raise
        self._listener.setblocking(False)
        self._selector.register(self._listener, selectors.EVENT_READ)
        self.trouble = "no forwarder has connected yet"

    def _check_nic(self) -> None:
        found = enrolled.load(self._folder).nic
        if found != self.nic.NAME:
            raise SourceError(f"{self._folder} is enrolled for NIC {found}, not {self.nic.NAME}")

    def read(self) -> bytes | None:
        """As `LiveSource.read`; a listener has no end."""
        for key, _ in self._selector.select(IDLE_S):
            if key.data is None:
                self._accept()
            elif key.data in self._peers:  # an earlier one of this round may have replaced it
                self._advance(key.data)
        self._expire()
        records, self._records = self._records, []
        return b"".join(records)

    def _accept(self) -> None:
        try:
            sock, address = self._listener.accept()
        except OSError:  # gone before we looked, or no descriptor is free: the next one may come through
            return
        sock.setblocking(False)
        try:
            wrapped = self._context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False)
        except (OSError, ValueError):  # reset already
            sock.close()
            return
        peer = Peer(wrapped, str(address[0]))
        strangers = [other for other in self._peers if other is not self._peer]
        if len(strangers) >= MAX_STRANGERS:
            self._refuse(strangers[0], "too_many")
        self._peers.append(peer)
        self._selector.register(wrapped, selectors.EVENT_READ, peer)

    def _advance(self, peer: Peer) -> bool:
        """Take what this peer sent; whether it is still there."""
        data, goes_on = peer.receive()
        try:
            if data:
                self._take(peer, data)
        except ForwardError as error:
            self._refuse(peer, error.reason)
            return False
        if not goes_on:
            self._drop(peer, "no_greeting" if peer.secured else "no_tls")
        return goes_on

    def _take(self, peer: Peer, data: bytes) -> None:
        if peer.greeting is None:
            peer.line += data
            line, newline, data = peer.line.partition(b"\n")
            if len(line) > MAX_GREETING:
                raise ForwardError("bad_greeting")
            if not newline:
                return
            peer.line = b""
            self._greet(peer, read_greeting(line))
        for kind, body in peer.messages.feed(data):
            self._message(peer, kind, body)

    def _greet(self, peer: Peer, greeting: Greeting) -> None:
        try:
            peer.known = enrolled.load(self._folder)
        except SourceError as error:
            raise ForwardError("not_enrolled") from error
        enrolled.check(peer.known, greeting)
        peer.greeting = greeting
        if greeting.kind == "token":
            peer.offered = enrolled.new_secret()
            peer.say(f"session {peer.offered}")
        else:
            peer.say("ok")
            self._admit(peer)

    def _message(self, peer: Peer, kind: bytes, body: bytes) -> None:
        if peer.offered is not None and peer.known is not None:
            if kind != b"A":
                raise ForwardError("bad_message")
            enrolled.spend_token(self._folder, peer.known, peer.offered)
            peer.offered = None
            self._admit(peer)
        elif kind == b"A" or self._run is None:
            raise ForwardError("bad_message")
        elif kind == b"R":
            self._take_record(body, self._run)
        else:
            self.lost.update(self._run.resume(body) if kind == b"B" else self._run.count(body))
        peer.deadline = time.monotonic() + SILENCE_S

    def _take_record(self, body: bytes, run: Run) -> None:
        record, host_ns = read_record(body, time.time_ns())
        run.received += 1
        self.received += 1
        self._records.append(self.nic.wrap(record, host_ns))

    def _admit(self, peer: Peer) -> None:
        """This is the forwarder; the one before it is read to its end first, so that nothing counts twice."""
        before, self._peer = self._peer, peer
        if before is not None:
            while self._advance(before):
                if time.monotonic() > peer.deadline or not before.has_more():
                    self._drop(before, "replaced")
                    break
        if peer.greeting is not None and (self._run is None or self._run.name != peer.greeting.run):
            self._run = Run(peer.greeting.run)
        self.trouble = None

    def _refuse(self, peer: Peer, reason: str) -> None:
        """Count it, tell it, and be rid of it; what it said is never repeated."""
        if peer.secured:
            peer.say(f"refused {reason}")
        self.ignored[reason] += 1
        self.trouble = f"refused a connection from {peer.address}: {reason}"
        self._forget(peer)

    def _drop(self, peer: Peer, reason: str) -> None:
        """A connection that ended by itself."""
        if peer is self._peer:
            self.trouble = "the forwarder's connection ended; waiting for it to come back"
        elif peer.greeting is None:
            self.ignored[reason] += 1
        self._forget(peer)

    def _forget(self, peer: Peer) -> None:
        self._peers.remove(peer)
        self._selector.unregister(peer.sock)
        peer.close()
        if peer is self._peer:
            self._peer = None

    def _expire(self) -> None:
        now = time.monotonic()
        for peer in [peer for peer in self._peers if now > peer.deadline]:
            if peer is self._peer:
                self._drop(peer, "silent")
            else:
                self._refuse(peer, "too_slow")

    def close(self) -> None:
        """Close every connection and stop listening."""
        for peer in list(self._peers):
            self._forget(peer)
        self._selector.close()
        self._listener.close()


def _context(folder: Path) -> ssl.SSLContext:
    """TLS 1.2 or newer with the folder's certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.num_tickets = 0  # reconnects show their secret; nothing else should travel to the forwarder
    try:
        context.load_cert_chain(folder / enrolled.CERTIFICATE, folder / enrolled.KEY)
    except OSError as error:
        raise SourceError(
            f"no certificate in {folder}: {error.strerror or error}; `roomtone links enroll` makes one"
        ) from error
    return context
