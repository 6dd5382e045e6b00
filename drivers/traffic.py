"""Steady packets for sensing: a card measures the channel on packets that arrive, evenly spaced is best.

ICMP echo where the system allows it (an unprivileged ping socket, else a raw one), for then both directions
of the link carry packets; else UDP to the discard port. Packets go by an absolute schedule, so that the rate
does not drift; a slot that is missed is left out and counted, never made up for in a burst.
"""

import errno
import os
import select
import socket
import struct
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from drivers.closing import Closing
from drivers.errors import SourceError

DISCARD_PORT = 9
LEAST_BYTES = 8
_STAMP = struct.Struct("!II")  # number of this run, number of the packet
_ECHO_REQUEST, _ECHO_REPLY = 8, 0
_KEEP = 65536  # packets of which times are kept: a run may last for months
_FORGET_AFTER = 4096  # packets; an answer that is later counts as lost
Method = Literal["auto", "ping", "raw", "udp"]


@dataclass(slots=True)
class Sent:
    """What a run did. Times in seconds.

    Attributes:
        sent, answered, unreachable: packets; `unreachable`: the kernel told that nobody takes them.
        missed: slots that passed before they could be used. refused: packets that the kernel did not take.
        late_s: how late each of the last packets went, after its slot. round_trip_s: of the last answers.
        seconds: from the first slot to the last.
    """

    sent: int = 0
    answered: int = 0
    unreachable: int = 0
    missed: int = 0
    refused: int = 0
    seconds: float = 0.0
    late_s: deque[float] = field(default_factory=lambda: deque(maxlen=_KEEP))
    round_trip_s: deque[float] = field(default_factory=lambda: deque(maxlen=_KEEP))

    @property
    def rate_hz(self) -> float:
        """Packets a second that really went."""
        return (self.sent - 1) / self.seconds if self.sent > 1 and self.seconds > 0 else 0.0


class Traffic(Closing):
    """A socket to one address that sends numbered packets and hears their answers; a context manager.

    Args:
        address: IPv4 address or name.
        size: bytes behind the ICMP or UDP header, at least `LEAST_BYTES`.
        method: ``"ping"``, ``"raw"``, ``"udp"``, or ``"auto"``: the first of them that the system allows.
        port: of UDP.

    Raises:
        SourceError: the address is unknown or the method is not allowed.
    """

    def __init__(
        self, address: str, *, size: int = 64, method: Method = "auto", port: int = DISCARD_PORT
    ) -> None:
        if size < LEAST_BYTES:
            raise SourceError(f"packets hold at least {LEAST_BYTES} bytes: their numbers; {size} are too few")
        self.size, self.result = size, Sent()
        self._run = int.from_bytes(os.urandom(4), "big")
        self._at: dict[int, float] = {}
        self._socket, self.method = _open(address, method, port)
        self._socket.setblocking(False)

    def close(self) -> None:
        """See `Closing`; answers under way are not waited for."""
        self._socket.close()

    @property
    def ip_bytes(self) -> int:
        """Size of one packet with its IP header."""
        return self.size + 28

    def run(self, rate_hz: float, seconds: float | None, told: Callable[[Sent], None]) -> Sent:
        """Send until `seconds` are over (None: for ever), then wait a moment for the last answers.

        `told` is called about once a second; KeyboardInterrupt ends the run as its end does.
        """
        step, start = 1 / rate_hz, time.monotonic()
        slots = None if seconds is None else max(round(seconds * rate_hz), 1)
        slot = 0
        try:
            while slots is None or slot < slots:
                due = start + slot * step
                self._hear_until(due)
                late = time.monotonic() - due
                if late >= step:
                    skipped = min(int(late / step), (slots or slot + int(late / step)) - slot)
                    self.result.missed += skipped
                    slot += skipped
                    continue
                self._send(slot, late)
                self.result.seconds = time.monotonic() - start
                slot += 1
                if slot % max(round(rate_hz), 1) == 0:
                    told(self.result)
            self._hear_until(time.monotonic() + 0.5, enough=True)
        except KeyboardInterrupt:
            pass
        return self.result

    def _send(self, number: int, late: float) -> None:
        now = time.monotonic()
        try:
            self._socket.send(self._packet(number))
        except ConnectionRefusedError:
            self.result.unreachable += 1  # of one before; this one did not go
            self.result.refused += 1
        except OSError as error:
            if error.errno not in {errno.ENOBUFS, errno.EAGAIN, errno.ENETUNREACH, errno.EHOSTUNREACH}:
                raise SourceError(f"cannot send: {error.strerror or error}") from error
            self.result.refused += 1
        else:
            self.result.sent += 1
            self.result.late_s.append(late)
            self._at[number] = now
            self._at.pop(number - _FORGET_AFTER, None)

    def _packet(self, number: int) -> bytes:
        body = _STAMP.pack(self._run, number).ljust(self.size, b"\0")
        if self.method == "udp":
            return body
        head = struct.pack("!BBHHH", _ECHO_REQUEST, 0, 0, self._run & 0xFFFF, number & 0xFFFF)
        return head[:2] + struct.pack("!H", checksum(head + body)) + head[4:] + body

    def _hear_until(self, until: float, *, enough: bool = False) -> None:
        """Take answers until then; with `enough` only while some are missing."""
        while (left := until - time.monotonic()) > 0 and not (enough and not self._at):
            if select.select([self._socket], [], [], left)[0]:
                self._hear()

    def _hear(self) -> None:
        try:
            data = self._socket.recv(65536)
        except ConnectionRefusedError:
            self.result.unreachable += 1
            return
        except OSError:
            return
        if self.method == "raw":  # a raw socket gives the IP header, and everybody's ICMP
            data = data[4 * (data[0] & 15) :] if data else data
        if self.method != "udp":
            data = data[8:] if data[:1] == bytes([_ECHO_REPLY]) else b""
        if len(data) < _STAMP.size:
            return
        run, number = _STAMP.unpack_from(data)
        if run == self._run and (at := self._at.pop(number, None)) is not None:
            self.result.answered += 1
            self.result.round_trip_s.append(time.monotonic() - at)


def checksum(data: bytes) -> int:
    """The Internet checksum (RFC 1071) of these bytes."""
    data += b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


_KINDS = {
    "ping": (socket.SOCK_DGRAM, socket.IPPROTO_ICMP),
    "raw": (socket.SOCK_RAW, socket.IPPROTO_ICMP),
    "udp": (socket.SOCK_DGRAM, socket.IPPROTO_UDP),
}


def _open(address: str, method: Method, port: int) -> tuple[socket.socket, str]:
    """A connected socket of the method, and which it is."""
    tried = []
    for name in _KINDS if method == "auto" else [method]:
        kind, protocol = _KINDS[name]
        try:
            sock = socket.socket(socket.AF_INET, kind, protocol)
        except PermissionError as error:
            tried.append(f"{name}: {error.strerror}")
            continue
        try:
            sock.connect((address, port if name == "udp" else 0))
        except OSError as error:
            sock.close()
            raise SourceError(f"cannot send to {address}: {error.strerror or error}") from error
        return sock, name
    raise SourceError(
        f"the system does not allow it ({'; '.join(tried)}): widen net.ipv4.ping_group_range, "
        "give CAP_NET_RAW, or use --method udp"
    )
