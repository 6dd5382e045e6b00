"""``udp:[HOST]:PORT``: one datagram is one record, of any NIC.

Plain UDP proves nobody's identity: unless it is bound to loopback, frames are marked `unauthenticated`, and
senders must be listed. The firmware of a Nexmon card always sends from 10.10.10.10.
"""

import ipaddress
import socket
from collections.abc import Sequence
from typing import Any

from drivers.errors import SourceError
from drivers.live.base import LiveSource
from drivers.live.datagram import DatagramSource
from drivers.live.socket_buffer import WANTED_BYTES, enlarge
from drivers.registry import Nic

NEXMON_PORT = 5500
NEXMON_ADDRESS = "10.10.10.10"
_ANY = "0.0.0.0"  # noqa: S104 - a card's broadcast reaches no other address; senders must be listed
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address


def open(rest: str, nic: Nic, *, allow: Sequence[str] = ()) -> LiveSource:  # noqa: A001 - as every transport
    """A UDP socket at ``[HOST]:PORT`` (or PORT alone); by default all addresses, for Nexmon port 5500.

    Args:
        rest: where to listen.
        nic: whose records these are.
        allow: addresses or networks (``192.168.1.0/24``) of the senders that are taken.

    Raises:
        SourceError: no such address, it is in use, or senders are not listed though others reach the port.
    """
    host, port = _place(rest, nic)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listed = _networks(allow)
    loopback = ipaddress.ip_address(host).is_loopback
    if not loopback and not listed:
        if nic.NAME != "nexmon":
            raise SourceError(
                f"udp:{rest}: anybody could send to {host} port {port}; list who may with --allow ADDRESS "
                "(or a network, 192.168.1.0/24), or listen at 127.0.0.1"
            )
        listed = _networks([NEXMON_ADDRESS])
    return UdpSource(nic, _bound(host, port, family), listed, is_open=not loopback)


def _place(rest: str, nic: Nic) -> tuple[str, int]:
    """Address and port."""
    host, _, port = rest.rpartition(":")
    host = host.strip("[]") or _ANY
    if not port and nic.NAME == "nexmon":
        port = str(NEXMON_PORT)
    try:
        host = str(ipaddress.ip_address("127.0.0.1" if host == "localhost" else host))
        number = int(port)
    except ValueError:
        number = -1
    if not 0 <= number < 2**16:
        raise SourceError(
            f"udp:{rest} is no place to listen; write udp:PORT, udp:ADDRESS:PORT or udp:[::]:PORT"
        )
    return host, number


def _networks(allow: Sequence[str]) -> list[Network]:
    try:
        return [ipaddress.ip_network(text, strict=False) for text in allow]
    except ValueError as error:
        raise SourceError(f"--allow takes addresses or networks, such as 192.168.1.7: {error}") from error


def _bound(host: str, port: int, family: socket.AddressFamily) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_DGRAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        enlarge(sock, WANTED_BYTES)
        sock.bind((host, port))
    except OSError as error:
        sock.close()
        raise SourceError(
            f"cannot listen at {host} UDP port {port}: {error.strerror or error}; "
            "stop what uses it, or choose another"
        ) from error
    return sock


class UdpSource(DatagramSource):
    """Records of a UDP socket; what other senders send is counted (``unlisted_sender``).

    Args:
        nic: whose records these are.
        sock: bound; closed with the source.
        allow: networks whose datagrams are taken; none takes all.
        is_open: whether others than this host reach the socket.
    """

    def __init__(
        self, nic: Nic, sock: socket.socket, allow: Sequence[Network] = (), *, is_open: bool = True
    ) -> None:
        host, port = sock.getsockname()[:2]
        super().__init__(nic, f"UDP {host} port {port}", sock)
        self.port = int(port)
        self.unauthenticated = is_open
        self._allow = allow
        self._judged: dict[str, bool] = {}

    def accepts(self, sender: Any) -> bool:  # noqa: ANN401 - an address of either family
        """Whether its address is listed."""
        listed = self._judged.get(sender[0])
        if listed is None:
            if len(self._judged) > 1000:
                self._judged.clear()  # whoever invents addresses shall not fill our memory
            listed = self._judged[sender[0]] = self._is_listed(sender[0])
        if not listed:
            self.ignored["unlisted_sender"] += 1
        return listed

    def _is_listed(self, text: str) -> bool:
        address: Address = ipaddress.ip_address(text.partition("%")[0])
        if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
            address = address.ipv4_mapped
        return not self._allow or any(address in network for network in self._allow)
