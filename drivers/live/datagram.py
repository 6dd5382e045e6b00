"""Receiving datagrams with the time at which the kernel took them, and what it dropped before them."""

import select
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from drivers.errors import SourceError
from drivers.live.base import GATHER_S, IDLE_S, LiveSource
from drivers.live.socket_buffer import SO_RXQ_OVFL, SO_TIMESTAMPNS, Overflow
from drivers.registry import Nic

_DATAGRAM_BYTES = 64 * 1024
_AT_ONCE = 256  # datagrams of one chunk
_ANCILLARY_BYTES = 128
_COUNT = struct.Struct("=I")
_TIMES = {16: struct.Struct("=qq"), 8: struct.Struct("=ii")}  # a timespec of a 64-bit and a 32-bit host
Ancillary = list[tuple[int, int, bytes]]


class DatagramSource(LiveSource):
    """Records of a socket, one a datagram; lost are ``socket_overflow`` and ``cut_datagram``.

    Args:
        nic: whose records these are.
        description: as for `LiveSource`.
        sock: opened and bound; closed with the source.
        link_layer: whether datagrams are whole frames of a network interface.
    """

    def __init__(
        self,
        nic: Nic,
        description: str,
        sock: socket.socket,
        *,
        link_layer: bool = False,
    ) -> None:
        super().__init__(nic, description)
        self._sock, self._link_layer = sock, link_layer
        sock.setblocking(False)
        for option in (SO_TIMESTAMPNS, SO_RXQ_OVFL):
            with suppress(OSError):  # a kernel without them: our own clock, and no count of drops
                sock.setsockopt(socket.SOL_SOCKET, option, 1)
        self._overflow = Overflow(sock)

    def read(self) -> bytes | None:
        """As `LiveSource.read`; a socket has no end."""
        if not select.select([self._sock], [], [], IDLE_S)[0]:
            self.lose("socket_overflow", self._overflow.fresh())
            return b""
        time.sleep(GATHER_S)
        return b"".join(self._records())

    def _records(self) -> Iterator[bytes]:
        """What waits in the socket now."""
        told: int | None = None
        for _ in range(_AT_ONCE):
            try:
                data, ancillary, flags, sender = self._sock.recvmsg(_DATAGRAM_BYTES, _ANCILLARY_BYTES)
            except BlockingIOError:
                break
            except OSError as error:
                raise SourceError(f"{self.description}: {error.strerror or error}{self.advice}") from error
            told, host_ns = _drops(ancillary, told), _arrival(ancillary)
            if not self.accepts(sender):
                continue
            self.received += 1
            if flags & socket.MSG_TRUNC:
                self.lose("cut_datagram", 1)
                continue
            yield self.nic.wrap(data, host_ns, link_layer=self._link_layer)
        self.lose("socket_overflow", self._overflow.fresh(told))

    advice = ""
    """What to do where the socket fails, to be put behind the error."""

    def accepts(self, sender: Any) -> bool:  # noqa: ANN401 - addresses differ by family
        """Whether a datagram of this sender is taken; one that is not is counted as ignored."""
        del sender
        return True

    def close(self) -> None:
        """Close the socket."""
        self._sock.close()


def _arrival(ancillary: Ancillary) -> int:
    """Unix time in ns at which the kernel took the datagram; now, if it does not say."""
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS and len(data) in _TIMES:
            seconds, nanoseconds = _TIMES[len(data)].unpack(data)
            return int(seconds) * 1_000_000_000 + int(nanoseconds)
    return time.time_ns()


def _drops(ancillary: Ancillary, before: int | None) -> int | None:
    """Datagrams dropped since the socket was opened, as this one's own note says; else `before`."""
    for level, kind, data in ancillary:
        if level == socket.SOL_SOCKET and kind == SO_RXQ_OVFL and len(data) == _COUNT.size:
            return int(_COUNT.unpack(data)[0])
    return before
