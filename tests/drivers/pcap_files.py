"""Capture files made by hand, independently of the code that reads them."""

import struct

HEADERS = bytes.fromhex("ffffffffffff4e45584d4f4e")
MAGIC = {("<", False): 0xA1B2C3D4, ("<", True): 0xA1B23C4D, (">", False): 0xA1B2C3D4, (">", True): 0xA1B23C4D}


def ip_udp(payload: bytes, *, port: int = 5500, options: bytes = b"", udp_length: int | None = None) -> bytes:
    """An IPv4 packet with UDP in it."""
    length = 8 + len(payload) if udp_length is None else udp_length
    header = struct.pack(">BBHHHBBH", 0x45 + len(options) // 4, 0, 20 + len(options) + length, 1, 0, 1, 17, 0)
    addresses = bytes([10, 10, 10, 10, 255, 255, 255, 255])
    return header + addresses + options + struct.pack(">HHHH", port, port, length, 0) + payload


def ethernet(packet: bytes, *, tags: tuple[int, ...] = (), protocol: int = 0x0800, padding: int = 0) -> bytes:
    """An Ethernet frame, with VLAN tags of these types."""
    stack = b"".join(struct.pack(">HH", tag, 5) for tag in tags)
    return HEADERS + stack + struct.pack(">H", protocol) + packet + bytes(padding)


def cooked(packet: bytes) -> bytes:
    """Linux cooked capture, version 1."""
    return struct.pack(">HHH8sH", 0, 1, 6, b"NEXMON", 0x0800) + packet


def cooked_2(packet: bytes) -> bytes:
    """Linux cooked capture, version 2."""
    return struct.pack(">HHIHBB8s", 0x0800, 0, 3, 1, 0, 6, b"NEXMON") + packet


def header(order: str = "<", *, nano: bool = False, link: int = 1) -> bytes:
    return struct.pack(order + "IHHiIII", MAGIC[order, nano], 2, 4, 0, 0, 1 << 18, link)


def record(
    packet: bytes, order: str = "<", *, at: tuple[int, int] = (1600, 5), length: int | None = None
) -> bytes:
    size = len(packet)
    return struct.pack(order + "IIII", *at, size, size if length is None else length) + packet


def block(kind: int, body: bytes, order: str = "<") -> bytes:
    """A pcapng block."""
    body += bytes(-len(body) % 4)
    size = struct.pack(order + "I", len(body) + 12)
    return struct.pack(order + "I", kind) + size + body + size


def section(order: str = "<") -> bytes:
    return block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1), order)


def interface(order: str = "<", *, link: int = 1, snaplen: int = 0, resolution: int | None = None) -> bytes:
    options = b"" if resolution is None else struct.pack(order + "HHB3xHH", 9, 1, resolution, 0, 0)
    return block(1, struct.pack(order + "HHI", link, 0, snaplen) + options, order)


def enhanced(packet: bytes, order: str = "<", *, number: int = 0, ticks: int = 1_600_000_005) -> bytes:
    words = (number, ticks >> 32, ticks & 0xFFFFFFFF, len(packet), len(packet))
    return block(6, struct.pack(order + "5I", *words) + packet, order)


def simple(packet: bytes, order: str = "<") -> bytes:
    return block(3, struct.pack(order + "I", len(packet)) + packet, order)
