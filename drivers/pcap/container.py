"""What a capture file says once: its kind, byte order, and per interface link type and clock."""

import struct
from dataclasses import dataclass

FILE_HEADER_BYTES = 24
SECTION_HEADER = b"\x0a\x0d\x0d\x0a"
_CLASSIC = {
    b"\xd4\xc3\xb2\xa1": ("<", 10**6),
    b"\xa1\xb2\xc3\xd4": (">", 10**6),
    b"\x4d\x3c\xb2\xa1": ("<", 10**9),
    b"\xa1\xb2\x3c\x4d": (">", 10**9),
}
_LATEST_NS = 2**62
_TSRESOL, _TSOFFSET = 9, 14  # options of a pcapng interface


@dataclass(frozen=True, slots=True)
class Interface:
    """Where packets were captured: link type (LINKTYPE_...), clock ticks a second, seconds added, snaplen."""

    link: int
    ticks_per_s: int
    offset_s: int = 0
    snaplen: int = 0

    def unix_ns(self, ticks: int) -> int:
        """Unix time of a clock reading; what no clock can say is held within 0 .. 2**62."""
        return min(max(ticks * 10**9 // self.ticks_per_s + self.offset_s * 10**9, 0), _LATEST_NS)


@dataclass(frozen=True, slots=True)
class Container:
    """A capture file's state between two buffers.

    Attributes:
        is_ng: pcapng, else classic pcap.
        order: byte order of its numbers, ``"<"`` or ``">"``.
        interfaces: of this section; exactly one of classic pcap.
        last_ns: time of the last packet, which stands in where a block says none.
    """

    is_ng: bool
    order: str
    interfaces: tuple[Interface, ...] = ()
    last_ns: int = 0


def starts_classic(data: memoryview, at: int) -> bool:
    """Whether the header of a classic file starts here, by its first four bytes."""
    return bytes(data[at : at + 4]) in _CLASSIC


def starts_file(data: memoryview, at: int) -> bool:
    """Whether the header of a file of either kind starts here."""
    return bytes(data[at : at + 4]) == SECTION_HEADER or starts_classic(data, at)


def classic(data: memoryview, at: int) -> Container:
    """The container whose classic file header (24 bytes) starts here."""
    order, ticks_per_s = _CLASSIC[bytes(data[at : at + 4])]
    snaplen, link = struct.unpack_from(f"{order}II", data, at + 16)
    return Container(False, order, (Interface(link & 0xFFFF, ticks_per_s, snaplen=snaplen),))


def interface(body: memoryview, order: str) -> Interface:
    """The interface that a pcapng description's body (8 bytes or more) tells of; odd options are skipped."""
    link, _, snaplen = struct.unpack_from(f"{order}HHI", body)
    ticks_per_s, offset_s, at = 10**6, 0, 8
    while at + 4 <= len(body):
        code, size = struct.unpack_from(f"{order}HH", body, at)
        value = body[at + 4 : at + 4 + size]
        if code == _TSRESOL and len(value) == 1:
            ticks_per_s = 2 ** (value[0] & 127) if value[0] & 128 else 10 ** value[0]
        elif code == _TSOFFSET and len(value) == 8:
            (offset_s,) = struct.unpack(f"{order}q", value)
        at += 4 + (size + 3) // 4 * 4
    return Interface(link, ticks_per_s, offset_s, snaplen)
