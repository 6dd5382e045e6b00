"""``packet:IFACE``: whole frames of a network interface, where the kernel does not deliver Nexmon's UDP.

A packet socket sees the card's own datagrams whatever the address, route or firewall. A small filter in the
kernel passes UDP to port 5500 only. Bound to IPv4, the socket never sees what this host sends itself.
"""

import ctypes
import errno
import socket
import struct

from drivers.errors import SourceError
from drivers.live.base import LiveSource
from drivers.live.datagram import DatagramSource
from drivers.live.socket_buffer import enlarge
from drivers.live.udp import NEXMON_PORT
from drivers.registry import Nic

_ETH_P_IP = 0x0800
_SO_ATTACH_FILTER = 26
_ARPHRD_ETHER, _ARPHRD_LOOPBACK = 1, 772
_INSTRUCTION = struct.Struct("=HBBI")


def udp_filter(port: int) -> bytes:
    """Classic BPF: pass unfragmented IPv4 UDP to this port, behind an Ethernet header."""
    program = [
        (0x28, 0, 0, 12),  # ldh [12]                   EtherType
        (0x15, 0, 8, _ETH_P_IP),  # jeq IPv4, else drop
        (0x30, 0, 0, 23),  # ldb [23]                   protocol
        (0x15, 0, 6, socket.IPPROTO_UDP),  # jeq UDP, else drop
        (0x28, 0, 0, 20),  # ldh [20]                   fragment
        (0x45, 4, 0, 0x1FFF),  # jset: a later fragment, drop
        (0xB1, 0, 0, 14),  # ldxb 4 * ([14] & 15)       length of the IP header
        (0x48, 0, 0, 16),  # ldh [x + 16]               destination port
        (0x15, 0, 1, port),  # jeq port, else drop
        (0x06, 0, 0, 0xFFFF),  # ret: all of it
        (0x06, 0, 0, 0),  # ret: nothing
    ]
    return b"".join(_INSTRUCTION.pack(*step) for step in program)


def open(rest: str, nic: Nic) -> LiveSource:  # noqa: A001 - the name that every transport has
    """A packet socket at interface `rest`, e.g. ``wlan0``.

    Raises:
        SourceError: no such interface, it is down, not Ethernet, or not permitted.
    """
    if not rest:
        raise SourceError("packet: needs an interface, e.g. packet:wlan0")
    sock = None
    try:
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)  # 0: nothing comes before the filter is on
        _attach(sock, udp_filter(NEXMON_PORT))
        enlarge(sock)
        sock.bind((rest, _ETH_P_IP))
        return PacketSource(nic, sock)
    except OSError as error:
        if sock is not None:
            sock.close()
        if isinstance(error, SourceError):
            raise
        raise SourceError(f"cannot listen at interface {rest}: {_hint(error)}") from error


def _attach(sock: socket.socket, program: bytes) -> None:
    """Put the filter on (struct sock_fprog: number of instructions, and where they are)."""
    code = ctypes.create_string_buffer(program, len(program))
    head = struct.pack("@HP", len(program) // _INSTRUCTION.size, ctypes.addressof(code))
    sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, head)


def _hint(error: OSError) -> str:
    if error.errno in {errno.EPERM, errno.EACCES}:
        return "not permitted; run as root, or grant CAP_NET_RAW (AmbientCapabilities= in a systemd unit)"
    if error.errno == errno.ENODEV:
        return "there is no such interface; `ip link` lists them"
    return error.strerror or str(error)


class PacketSource(DatagramSource):
    """Whole frames of one interface.

    Args:
        nic: whose records these are.
        sock: bound packet socket; closed with the source.
    """

    advice = "; bring the interface up (ip link set IFACE up)"

    def __init__(self, nic: Nic, sock: socket.socket) -> None:
        interface, _, _, kind, *_ = sock.getsockname()
        super().__init__(nic, f"interface {interface}", sock, link_layer=True)
        if kind not in {_ARPHRD_ETHER, _ARPHRD_LOOPBACK}:
            raise SourceError(
                f"{interface} gives no Ethernet frames (type {kind}); CSI comes at the card's own interface, "
                "e.g. wlan0, not at its monitor"
            )
