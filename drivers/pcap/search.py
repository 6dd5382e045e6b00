"""Finding the next record of a damaged classic pcap file, by the record's lengths and its packet's start."""

import numpy as np
import numpy.typing as npt

from drivers.pcap.container import Container
from drivers.pcap.cursor import MAX_PACKET, Cursor
from drivers.pcap.links import COOKED, COOKED_2, ETHERNET, RAW

_HEAD_BYTES = 16
_WINDOW = 1 << 12
_TIME_BYTES, _ONE_TIME_S, _MOST_PADDING = 8, 86_400, 64
_IP_AT = {ETHERNET: 14, COOKED: 16, COOKED_2: 20} | dict.fromkeys(RAW, 0)
_PROTOCOL_AT = {ETHERNET: 12, COOKED: 14, COOKED_2: 0}
_PROTOCOLS = (0x0800, 0x0806, 0x86DD, 0x8100, 0x88A8, 0x888E)
"""IPv4, ARP, IPv6, VLAN, stacked VLAN, 802.1X: what a network that carries CSI packets carries."""

Mask = npt.NDArray[np.bool_]


def evidence_bytes(link: int) -> int:
    """How much of a packet is looked at."""
    return _PROTOCOL_AT[link] + 2 if link in _PROTOCOL_AT else 1


def find_record(
    cursor: Cursor, state: Container, start: int, stop: int, inside: int | None = None
) -> int | None:
    """First offset in [start, stop) where a sound record's header and evidence are wholly in the buffer.

    Inside another record (that at `inside`) it must also be of about the same time, or hold IP as long as it
    is itself: small numbers, as CSI often is, look like the rest of a header often enough.
    """
    link = state.interfaces[0].link
    end, stop = stop, min(stop, cursor.size - _HEAD_BYTES - evidence_bytes(link) + 1)
    window = _WINDOW
    while start < stop:
        places = np.arange(start, min(start + window, stop), dtype=np.int64)
        places = places[_starts_packet(cursor.bytes, places + _HEAD_BYTES, link)]
        places = places[_is_sound(cursor.bytes, places, state)]
        if inside is not None and len(places):
            whole = places + _TIME_BYTES <= end  # else it may be the next record, which lost its first bytes
            is_one = _is_near(cursor, state, places, inside) | whole & _holds_ip(cursor, state, places)
            places = places[is_one]
        if len(places):
            return int(places[0])
        start, window = start + window, window * 4
    return None


def _starts_packet(data: npt.NDArray[np.uint8], at: npt.NDArray[np.int64], link: int) -> Mask:
    """Where a packet of this link type may start; anywhere if the link type is none we know."""
    if link in RAW:
        return np.asarray((data[at] >> 4 == 4) | (data[at] >> 4 == 6))
    if link not in _PROTOCOL_AT:
        return np.ones(len(at), np.bool_)
    at = at + _PROTOCOL_AT[link]
    protocol = data[at].astype(np.uint16) << 8 | data[at + 1]
    return np.isin(protocol, np.array(_PROTOCOLS, np.uint16), kind="table")


def _is_near(cursor: Cursor, state: Container, at: npt.NDArray[np.int64], other: int) -> Mask:
    """Which records are of about the time of another one."""
    places = np.append(at, other)
    seconds = cursor.bytes[places[:, None] + np.arange(4)].view(state.order + "u4")[:, 0].astype(np.int64)
    return np.asarray(np.abs(seconds[:-1] - seconds[-1]) <= _ONE_TIME_S)


def _holds_ip(cursor: Cursor, state: Container, at: npt.NDArray[np.int64]) -> Mask:
    """Which records hold an IPv4 packet that fills them but for padding."""
    header = _IP_AT.get(state.interfaces[0].link)
    if header is None:
        return np.zeros(len(at), np.bool_)
    ip = at + _HEAD_BYTES + header
    there = ip + 4 <= cursor.size
    ip = np.where(there, ip, 0)
    total = cursor.bytes[ip + 2].astype(np.int64) * 256 + cursor.bytes[ip + 3]
    length = cursor.bytes[at[:, None] + np.arange(12, 16)].view(state.order + "u4")[:, 0].astype(np.int64)
    padding = length - header - total
    return np.asarray(there & (cursor.bytes[ip] >> 4 == 4) & (padding >= 0) & (padding <= _MOST_PADDING))


def _is_sound(data: npt.NDArray[np.uint8], at: npt.NDArray[np.int64], state: Container) -> Mask:
    """Where the fields of a record's header agree: a fraction of a second, lengths, something captured."""
    words = data[at[:, None] + np.arange(_HEAD_BYTES)].view(state.order + "u4").reshape(-1, 4)
    _, fraction, size, length = np.moveaxis(words, 1, 0)
    where = state.interfaces[0]
    least = evidence_bytes(where.link)
    return np.asarray(
        (fraction < where.ticks_per_s) & (size >= least) & (size <= length) & (length <= MAX_PACKET)
    )
