"""Blocks of pcapng: ``{u32 type, u32 length, body, u32 length}``; both lengths must agree."""

import struct
from dataclasses import replace

import numpy as np

from drivers.pcap.container import SECTION_HEADER, Container, interface, starts_classic
from drivers.pcap.cursor import MAX_PACKET, SEARCH_BYTES, Cursor

_SECTION, _INTERFACE, _OLD_PACKET, _SIMPLE, _NAMES, _STATISTICS, _ENHANCED = 0x0A0D0D0A, 1, 2, 3, 4, 5, 6
_ABOUT_THE_FILE = frozenset({_NAMES, _STATISTICS, 0x0A, 0x80000001, 0xBAD, 0x40000BAD})
"""Names, statistics, secrets, custom: nothing about packets."""
MAX_INTERFACES = 1024
"""More of them are noise, or an attack on memory; packets of those behind are rejected."""
_FRAMING, _MAX_BLOCK = 12, MAX_PACKET + 4096
_FEWEST = {_SECTION: 28, _INTERFACE: 20, _SIMPLE: 16, _ENHANCED: 32}
_ORDERS = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}


def ng_step(cursor: Cursor, state: Container) -> bool | None:
    """Deal with the block at the cursor.

    Returns:
        False when it needs more bytes, None where a classic file starts in its place.
    """
    at, data = cursor.at, cursor.data
    if cursor.left < _FRAMING:
        return cursor.cut_end()
    order = _order(data, at, state)
    kind, length = struct.unpack_from(order + "II", data, at)
    if not _may_be(kind, length):
        return None if starts_classic(data, at) else _resync(cursor, state)
    if at + length > cursor.size:
        return cursor.final and _cut(cursor, state)
    if struct.unpack_from(order + "I", data, at + length - 4) != (length,):
        return _resync(cursor, state)
    return _block(cursor, state, order, kind, data[at + 8 : at + length - 4])


def _block(cursor: Cursor, state: Container, order: str, kind: int, body: memoryview) -> bool:
    at, length = cursor.at, len(body) + _FRAMING
    if kind == _SECTION:
        return cursor.header(at + length, Container(True, order, last_ns=state.last_ns))
    if kind == _INTERFACE:
        if len(state.interfaces) >= MAX_INTERFACES:
            return cursor.reject("bad_interface", at + length)
        more = (*state.interfaces, interface(body, order))
        return cursor.header(at + length, replace(state, interfaces=more))
    if kind in {_ENHANCED, _SIMPLE}:
        return _packet(cursor, state, body, simple=kind == _SIMPLE)
    if kind in _ABOUT_THE_FILE:
        return cursor.header(at + length, state)
    return cursor.skip("unknown_record", at + length)


def _order(data: memoryview, at: int, state: Container) -> str:
    """A section says its own byte order."""
    if bytes(data[at : at + 4]) != SECTION_HEADER:
        return state.order
    return _ORDERS.get(bytes(data[at + 8 : at + 12]), state.order)


def _may_be(kind: int, length: int) -> bool:
    return length % 4 == 0 and _FEWEST.get(kind, _FRAMING) <= length <= _MAX_BLOCK


def _packet(cursor: Cursor, state: Container, body: memoryview, *, simple: bool) -> bool:
    end = cursor.at + len(body) + _FRAMING
    number, ticks, size, length, offset = _simple(state, body) if simple else _enhanced(state, body)
    if number >= len(state.interfaces):
        return cursor.reject("bad_interface", end)
    if size > len(body) - offset:
        return cursor.reject("bad_length", end)
    where = state.interfaces[number]
    now = state.last_ns if ticks is None else where.unix_ns(ticks)
    start = cursor.at + 8 + offset
    cursor.columns.singles.append((start, size, size < length, end - cursor.at, now, where.link))
    cursor.at = end
    if now != state.last_ns:
        cursor.state = replace(state, last_ns=now)
    return True


def _enhanced(state: Container, body: memoryview) -> tuple[int, int | None, int, int, int]:
    """Interface, time, captured and full length, and where the packet starts in the body."""
    number, high, low, size, length = struct.unpack_from(state.order + "IIIII", body)
    return number, high << 32 | low, size, length, 20


def _simple(state: Container, body: memoryview) -> tuple[int, int | None, int, int, int]:
    """The same of a simple packet block, which belongs to the first interface and tells no time."""
    (length,) = struct.unpack_from(state.order + "I", body)
    snaplen = state.interfaces[0].snaplen if state.interfaces else 0
    return 0, None, min(length, snaplen or length), length, 4


def _cut(cursor: Cursor, state: Container) -> bool:
    """The file ends within this block, or its length is a lie and another block follows."""
    found = _find(cursor, state, cursor.at + 4, cursor.size)
    return cursor.reject("truncated", cursor.size if found is None else found)


def _resync(cursor: Cursor, state: Container) -> bool:
    found = _find(cursor, state, cursor.at + 4, cursor.at + 4 + SEARCH_BYTES)
    if found is not None and found < 0:
        return False
    return cursor.resync("bad_length", found, _FRAMING + 4)


def _find(cursor: Cursor, state: Container, start: int, stop: int) -> int | None:
    """First sound block in [start, stop); -1 if what may be one is not wholly there yet."""
    stop = min(stop, cursor.size - _FRAMING + 1)
    if start >= stop:
        return None
    window = cursor.bytes[start : stop + 3]
    candidates = np.zeros(stop - start, np.bool_)
    for kind in (_SECTION, _INTERFACE, _SIMPLE, _ENHANCED, _STATISTICS):
        hit = np.ones(stop - start, np.bool_)
        for place, value in enumerate(struct.pack(state.order + "I", kind)):
            hit &= window[place : place + stop - start] == value
        candidates |= hit
    for at in (np.flatnonzero(candidates) + start).tolist():
        order = _order(cursor.data, at, state)
        kind, length = struct.unpack_from(order + "II", cursor.data, at)
        if not _may_be(kind, length):
            continue
        if at + length > cursor.size:
            if not cursor.final:
                return -1
        elif struct.unpack_from(order + "I", cursor.data, at + length - 4) == (length,):
            return int(at)
    return None
