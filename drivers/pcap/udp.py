"""Where the UDP payloads are in many packets at once, whatever the link layer puts before IP.

Ethernet and cooked headers, stacked VLAN tags, IPv4 options. The length of a payload is what its UDP header
says: link layers pad short frames, and capture tools cut long ones.
"""

import struct
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from drivers.pcap.links import COOKED, COOKED_2, ETHERNET, RAW
from drivers.pcap.packets import Ints, Packets

_HEADER_BYTES = {ETHERNET: 14, COOKED: 16, COOKED_2: 20}
_PROTOCOL_AT = {ETHERNET: 12, COOKED: 14, COOKED_2: 0}
_IPV4, _VLAN, _UDP, _MAX_TAGS = 0x0800, (0x8100, 0x88A8, 0x9100), 17, 4
_IP_BYTES, _UDP_BYTES = 20, 8
_FRAGMENT = 0x3FFF  # more fragments follow, or this one has an offset
_PLAIN_BYTES = 42
_PLAIN = struct.Struct(">H BxH 2xHxB 10x 2xHH")
"""Of Ethernet, IPv4 without options and UDP, from byte 12: protocol; version and length of header, length,
fragment, protocol; port, length."""
_TOLD = [(12, b"\xff\xff\xff\x00\xff\xff\x00\x00"), (20, b"\xff\xff\x00\xff" + bytes(4))]
_TOLD += [(34, b"\x00\x00\xff\xff\xff\xff\x00\x00")]
"""Which bits these are of the 8 bytes from each place on; the others may differ from packet to packet."""

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Udp:
    """UDP in packets, one row a packet.

    Attributes:
        is_udp: an unfragmented IPv4 packet with UDP in it, headers wholly there.
        is_other: surely something else; a packet that is neither is too short to tell.
        at: offset of the payload in the buffer; `end`: of the end of what was captured.
        length: bytes of payload that were sent; negative where the lengths of IP and UDP disagree.
        port: destination port.
    """

    is_udp: Mask
    is_other: Mask
    at: Ints
    end: Ints
    length: Ints
    port: Ints


class _Buffer:
    """Numbers at many places of a buffer; places behind its end read as its last bytes."""

    def __init__(self, data: bytes | memoryview) -> None:
        self._bytes = np.frombuffer(data, np.uint8)

    def byte(self, at: Ints) -> Ints:
        return self._bytes.take(at.astype(np.intp, copy=False), mode="clip").astype(np.int64)

    def word(self, at: Ints) -> Ints:
        """Unsigned 16 bits, in network order."""
        return self.byte(at) << 8 | self.byte(at + 1)


def find_udp(data: bytes | memoryview, packets: Packets) -> Udp:
    """UDP payloads of the packets in `data`."""
    if not len(packets):
        none, no = np.empty(0, np.int64), np.empty(0, np.bool_)
        return Udp(no, no, none, none, none, none)
    if (plain := _all_plain(data, packets)) is not None:
        return plain
    buffer, end = _Buffer(data), packets.start + packets.size
    ip, protocol, known = _network_layer(buffer, packets)
    first = buffer.byte(ip)
    header, total = (first & 15) * 4, buffer.word(ip + 2)
    is_ip = (protocol == _IPV4) & (ip < end)
    is_other = ~known & (ip <= end) | is_ip & ((first >> 4 != 4) | (header < _IP_BYTES))
    whole = ip + _IP_BYTES <= end
    wanted = (buffer.byte(ip + 9) == _UDP) & (buffer.word(ip + 6) & _FRAGMENT == 0)
    is_other |= is_ip & whole & ~wanted
    at = ip + header + _UDP_BYTES
    is_udp = is_ip & whole & wanted & ~is_other & (at <= end)
    length = buffer.word(at - 4) - _UDP_BYTES
    length[(length + _UDP_BYTES + header > total) & (total > 0)] = -1
    return Udp(is_udp, is_other, at, end, length, buffer.word(at - 6))


def _all_plain(data: bytes | memoryview, packets: Packets) -> Udp | None:
    """The quick way where all are UDP in plain Ethernet to one port, of one length; else None."""
    start, count = packets.start, len(packets)
    if (packets.link != ETHERNET).any() or (packets.size < _PLAIN_BYTES).any():
        return None
    protocol, version, total, fragment, transport, port, length = _PLAIN.unpack_from(data, int(start[0]) + 12)
    if (protocol, version, fragment & _FRAGMENT, transport) != (_IPV4, 0x45, 0, _UDP):
        return None
    windows: npt.NDArray[np.void] = np.ndarray(
        (len(data) - _PLAIN_BYTES + 1,), f"V{_PLAIN_BYTES}", data, strides=(1,)
    )
    heads = windows[start]
    for at, mask in _TOLD:
        told: npt.NDArray[np.uint64] = np.ndarray((count,), np.uint64, heads, at, heads.strides)
        if ((told ^ told[0]) & np.frombuffer(mask, np.uint64)).any():
            return None
    size = -1 if 0 < total < _IP_BYTES + length else length - _UDP_BYTES
    sizes, ports = np.full(count, size, np.int64), np.full(count, port, np.int64)
    sure, end = np.ones(count, np.bool_), start + packets.size
    return Udp(sure, ~sure, start + _PLAIN_BYTES, end, sizes, ports)


def _network_layer(buffer: _Buffer, packets: Packets) -> tuple[Ints, Ints, Mask]:
    """Where IP starts, the protocol there, and whether that is IPv4."""
    link, start = packets.link, packets.start
    if (link == link[0]).all():
        ip, protocol = _above(buffer, start, int(link[0]))
    else:
        ip, protocol = start.copy(), np.zeros(len(start), np.int64)
        for one in np.unique(link).tolist():
            rows = link == one
            ip[rows], protocol[rows] = _above(buffer, start[rows], one)
    for _ in range(_MAX_TAGS):
        tagged = (protocol == _VLAN[0]) | (protocol == _VLAN[1]) | (protocol == _VLAN[2])
        if not tagged.any():
            break
        ip = ip + 4 * tagged
        protocol = np.where(tagged, buffer.word(ip - 2), protocol)
    return ip, protocol, protocol == _IPV4


def _above(buffer: _Buffer, start: Ints, link: int) -> tuple[Ints, Ints]:
    """Where the network layer of packets of this link type starts, and which it is (0: cannot be told)."""
    if link in RAW:
        return start, np.where(buffer.byte(start) >> 4 == 4, _IPV4, 0)
    if link not in _HEADER_BYTES:
        return start, np.zeros(len(start), np.int64)
    return start + _HEADER_BYTES[link], buffer.word(start + _PROTOCOL_AT[link])
