"""Live Atheros datagrams as records of a capture file.

One read of the character device gives a record and then its length; who forwards records over UDP may leave
that out, or put it in front as in a file. A file has one byte order, and datagrams may come from hosts of
both: all become little-endian records without a lead byte.
"""

import struct

from drivers.atheros.layout import FIXED, ORDER_NAMES, Order, read_head

_LENGTH: dict[Order, struct.Struct] = {"<": struct.Struct("<H"), ">": struct.Struct(">H")}
_NUMBERS: dict[Order, struct.Struct] = {"<": struct.Struct("<QHH11sH"), ">": struct.Struct(">QHH11sH")}
_LONGEST = 0xFFFF


def record_of(datagram: bytes) -> bytes:
    """The file's record of one datagram; what is none gets a length in front and is counted by `parse`."""
    if not datagram:
        return b""  # the device was read without a packet having come
    readings = [(body, order) for order in ORDER_NAMES for body in _bodies(datagram, order)]
    for only_sound in (True, False):
        for body, order in readings:
            head = read_head(memoryview(_LENGTH[order].pack(len(body)) + body[:FIXED]), 0, order)
            if head.is_sound or (head.adds_up and not only_sound):
                return _little_endian(body, order)
    return _little_endian(datagram[:_LONGEST], "<")


def _bodies(datagram: bytes, order: Order) -> list[bytes]:
    """What may be the record itself: without a length behind it, without one in front, or all of it."""
    size, found = len(datagram) - 2, []
    if FIXED <= size <= _LONGEST:
        length = _LENGTH[order].pack(size)
        found += [datagram[:-2]] if datagram[-2:] == length else []
        found += [datagram[2:]] if datagram[:2] == length else []
    return found + ([datagram] if FIXED <= len(datagram) <= _LONGEST else [])


def _little_endian(body: bytes, order: Order) -> bytes:
    """The record with its length in front, the numbers of its fixed part turned round where need be."""
    if order == ">":
        body = _NUMBERS["<"].pack(*_NUMBERS[">"].unpack(body[:FIXED])) + body[FIXED:]
    return _LENGTH["<"].pack(len(body)) + body
