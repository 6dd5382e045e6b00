"""Receive buffers of sockets: made big, and watched for what the kernel drops when they are full."""

import socket
import struct

WANTED_BYTES = 16 * 1024 * 1024
"""Some ten seconds of a busy card: more than any pause of a live reader."""
# Numbers of Linux's asm-generic/socket.h (x86, ARM, MIPS), which Python does not name.
SO_RCVBUFFORCE = 33
SO_TIMESTAMPNS = 35
SO_RXQ_OVFL = 40
_SO_MEMINFO = 55
_MEMINFO = struct.Struct("9I")
_DROPS = 8  # SK_MEMINFO_DROPS


def enlarge(sock: socket.socket, size: int = WANTED_BYTES) -> None:
    """Ask for a receive buffer of `size` bytes, beyond the system's limit (rmem_max) where we may."""
    try:
        sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, size)
    except OSError:  # needs CAP_NET_ADMIN
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)


class Overflow:
    """What the kernel dropped at one socket because its buffer was full.

    Args:
        sock: the socket, as it was opened.
    """

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._known = self._memory() or 0

    def _memory(self) -> int | None:
        """Drops since the socket was opened as the kernel's own book says; None before Linux 4.12."""
        try:
            memory = self._sock.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, _MEMINFO.size)
        except OSError:
            return None
        return int(_MEMINFO.unpack(memory)[_DROPS]) if len(memory) == _MEMINFO.size else None

    def fresh(self, told: int | None = None) -> int:
        """Datagrams dropped since this was asked last.

        Args:
            told: the count that came with a datagram (SO_RXQ_OVFL), for kernels that keep no book.
        """
        total = self._memory()
        if total is None:
            total = self._known if told is None else told
        dropped = (total - self._known) & 0xFFFFFFFF
        self._known = total
        return dropped
