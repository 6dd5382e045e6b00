"""Writing classic pcap: little-endian, nanoseconds, Ethernet."""

import struct
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from drivers.pcap.links import ETHERNET

_MAGIC_NS, _SNAPLEN = 0xA1B23C4D, 1 << 18
_MAX_UDP_PAYLOAD = 65507  # 2**16 - 1 less the headers of IP and UDP
HEADERS_BYTES = 42
"""Ethernet, IPv4 and UDP headers."""


def file_header() -> bytes:
    """What a file begins with."""
    return struct.pack("<IHHiIII", _MAGIC_NS, 2, 4, 0, 0, _SNAPLEN, ETHERNET)


def record(packet: bytes, unix_ns: int, length: int | None = None) -> bytes:
    """A record of this packet; `length`: what it had before it was cut. More than a file may hold is cut."""
    size = min(len(packet), _SNAPLEN)
    seconds, fraction = divmod(max(unix_ns, 0), 10**9)
    head = struct.pack("<IIII", seconds & 0xFFFFFFFF, fraction, size, min(length or len(packet), _SNAPLEN))
    return head + packet[:size]


def udp_packet(payload: bytes, headers: bytes) -> bytes:
    """An Ethernet frame with this payload; what is longer than UDP can carry is cut.

    Lengths and checksum are put into a copy of the 42 bytes of `headers`.
    """
    payload = payload[:_MAX_UDP_PAYLOAD]
    return with_lengths(headers, len(payload)) + payload


@lru_cache(maxsize=64)
def with_lengths(headers: bytes, size: int) -> bytes:
    """These headers (Ethernet, IPv4 without options, UDP) for a payload of `size` bytes.

    Kept: a card's datagrams are of one size, and this would be half the cost of a live record.
    """
    made = bytearray(headers)
    struct.pack_into(">H", made, 16, size + 28)
    struct.pack_into(">H", made, 24, 0)
    struct.pack_into(">H", made, 38, size + 8)
    words = np.frombuffer(bytes(made[14:34]), ">u2").astype(np.int64)
    total = int(words.sum())
    total = (total & 0xFFFF) + (total >> 16)
    struct.pack_into(">H", made, 24, ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF)
    return bytes(made)


def records(packets: npt.NDArray[np.uint8], unix_ns: npt.NDArray[np.int64]) -> bytes:
    """Records of many packets ``[packet, byte]`` of one length."""
    count, size = packets.shape
    made = np.empty((count, 16 + size), np.uint8)
    head = np.empty((count, 4), "<u4")
    head[:, 0], head[:, 1] = unix_ns // 10**9, unix_ns % 10**9
    head[:, 2:] = size
    made[:, :16], made[:, 16:] = head.view(np.uint8), packets
    return made.tobytes()
