"""``netlink[:IDX]``: the Intel 5300's records from the kernel's connector (linux-80211n-csitool).

The driver multicasts each record as one netlink message: ``nlmsghdr | cn_msg | code, body`` in the host's
byte order (linux/netlink.h, linux/connector.h; iwlwifi's connector.c). Its sequence numbers are always 0, so
what the kernel drops shows as ENOBUFS here and as a gap of ``bfee_count`` in the frames.
"""

import errno
import os
import select
import socket
import struct
import time
from collections.abc import Iterator

from drivers.errors import SourceError
from drivers.live.base import GATHER_S, IDLE_S, LiveSource
from drivers.live.socket_buffer import Overflow, enlarge
from drivers.registry import Nic

CN_NETLINK_USERS = 11
"""As in linux/connector.h since Linux 3.10; older kernels have 8 to 10."""
DEFAULT_INDEX = CN_NETLINK_USERS + 0xF
CN_VALUE = 1
_NETLINK_CONNECTOR, _SOL_NETLINK, _ADD_MEMBERSHIP = 11, 270, 1
_BUFFER_BYTES = 64 * 1024
_AT_ONCE = 256  # datagrams of one chunk
_NLMSGHDR = struct.Struct("=IHHII")  # length, type, flags, sequence, port
_CN_MSG = struct.Struct("=IIIIHH")  # index, value, sequence, acknowledge, length, flags
_OVERRUN, _DONE = 4, 3
_NONE_NOW = {errno.EAGAIN, errno.EWOULDBLOCK}


def open(rest: str, nic: Nic) -> LiveSource:  # noqa: A001 - the name that every transport has
    """The connector at index `rest`, by default that of a kernel since 3.10.

    Raises:
        SourceError: no number, no permission, or no connector in this kernel.
    """
    try:
        index = int(rest, 0) if rest else DEFAULT_INDEX
    except ValueError:
        index = 0
    if not 0 < index < 2**31:
        raise SourceError(f"netlink:{rest} is no connector index; write netlink, or netlink:{DEFAULT_INDEX}")
    return NetlinkSource(nic, _connect(index), index)


def _connect(index: int) -> socket.socket:
    sock = None
    try:
        sock = socket.socket(socket.AF_NETLINK, socket.SOCK_DGRAM, _NETLINK_CONNECTOR)
        sock.bind((0, 0))
        sock.setsockopt(_SOL_NETLINK, _ADD_MEMBERSHIP, index)
        enlarge(sock)
    except OSError as error:
        if sock is not None:
            sock.close()
        raise SourceError(
            f"cannot listen to the kernel's connector (index {index}): {_hint(error)}"
        ) from error
    return sock


def _hint(error: OSError) -> str:
    if error.errno in {errno.EPERM, errno.EACCES}:
        return "not permitted; run as root, or grant CAP_NET_ADMIN (AmbientCapabilities= in a systemd unit)"
    if error.errno in {errno.EPROTONOSUPPORT, errno.EAFNOSUPPORT}:
        return "this kernel has no connector; boot the CSI tool's kernel, or load the module cn"
    return os.strerror(error.errno or 0)


class NetlinkSource(LiveSource):
    """Records from a connector's socket.

    Args:
        nic: whose records these are.
        sock: one datagram is one or more netlink messages; closed with the source.
        index: connector index whose messages count.
    """

    def __init__(self, nic: Nic, sock: socket.socket, index: int = DEFAULT_INDEX) -> None:
        super().__init__(nic, f"netlink connector {index}")
        self._sock, self._index = sock, index
        self._sock.setblocking(False)
        self._overflow = Overflow(sock)

    def read(self) -> bytes | None:
        """As `LiveSource.read`; a connector has no end."""
        if not select.select([self._sock], [], [], IDLE_S)[0]:
            self.lose("socket_overflow", self._overflow.fresh())
            return b""
        time.sleep(GATHER_S)
        records: list[bytes] = []
        for _ in range(_AT_ONCE):
            if (datagram := self._receive()) is None:
                break
            if not datagram:
                return b"".join(records) or None  # the other end of a pair closed
            self.received += 1
            now = time.time_ns()
            records += (self.nic.wrap(data, now) for data in self._messages(datagram))
        self.lose("socket_overflow", self._overflow.fresh())
        return b"".join(records)

    def _receive(self) -> bytes | None:
        """One datagram, None when there is none now."""
        while True:
            try:
                return self._sock.recv(_BUFFER_BYTES)
            except OSError as error:
                if error.errno in _NONE_NOW:
                    return None
                if error.errno != errno.ENOBUFS:
                    raise SourceError(f"{self.description}: {error.strerror or error}") from error
                # We were too slow; how much that cost only newer kernels say, at least one message it was.
                self.lose("socket_overflow", self._overflow.fresh() or 1)

    def _messages(self, datagram: bytes) -> Iterator[bytes]:
        """Data of each connector message in a datagram; what does not hold together is counted."""
        at = 0
        while at < len(datagram):
            size, kind = self._header(datagram, at)
            if not size:
                self.lose("bad_datagram", 1)
                return
            if kind == _OVERRUN:
                self.lose("socket_overflow", 1)
            elif (
                kind >= _DONE and (data := self._data(datagram[at + _NLMSGHDR.size : at + size])) is not None
            ):
                yield data
            at += (size + 3) & ~3

    def _header(self, datagram: bytes, at: int) -> tuple[int, int]:
        """Size and type of the netlink message there; size 0 if it cannot be."""
        if at + _NLMSGHDR.size > len(datagram):
            return 0, 0
        size, kind, *_ = _NLMSGHDR.unpack_from(datagram, at)
        return (size, kind) if _NLMSGHDR.size <= size <= len(datagram) - at else (0, 0)

    def _data(self, message: bytes) -> bytes | None:
        """What a connector message carries; None if it is not ours or its length lies."""
        if len(message) < _CN_MSG.size:
            self.lose("bad_datagram", 1)
            return None
        index, value, _, _, length, _ = _CN_MSG.unpack_from(message)
        if (index, value) != (self._index, CN_VALUE):
            self.ignored["other_connector"] += 1
            return None
        if not 0 < length <= len(message) - _CN_MSG.size:
            self.lose("bad_datagram", 1)
            return None
        return message[_CN_MSG.size : _CN_MSG.size + length]

    def close(self) -> None:
        """Leave the group."""
        self._sock.close()
