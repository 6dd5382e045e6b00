"""Finding the next record of a damaged classic pcap file, by the record's lengths and its packet's start."""

import numpy as np
import numpy.typing as npt

from drivers.pcap.container import Container
from drivers.pcap.cursor import MAX_PACKET, Cursor
from drivers.pcap.links import COOKED, COOKED_2, ETHERNET, RAW

_HEAD_BYTES = 16
_WINDOW = 1 << 12
_ONE_TIME_S = 86_400
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

    Inside another record (that at `inside`) it must be of about the same time too: small numbers, as CSI
    often is, look like the rest of a header often enough.
    """
    link = state.interfaces[0].link
    stop = min(stop, cursor.size - _HEAD_BYTES - evidence_bytes(link) + 1)
    window = _WINDOW
    while start < stop:
        places = np.arange(start, min(start + window, stop), dtype=np.int64)
        places = places[_starts_packet(cursor.bytes, places + _HEAD_BYTES, link)]
        places = places[_is_sound(cursor.bytes, places, state)]
        if inside is not None:
            at_once = np.array([inside], np.int64)
            apart = _seconds(cursor.bytes, places, state) - _seconds(cursor.bytes, at_once, state)
            places = places[np.abs(apart) <= _ONE_TIME_S]
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


def _seconds(
    data: npt.NDArray[np.uint8], at: npt.NDArray[np.int64], state: Container
) -> npt.NDArray[np.int64]:
    """Times of records, to the second."""
    words = data[at[:, None] + np.arange(4)].view(state.order + "u4")
    return np.asarray(words[:, 0], np.int64)


def _is_sound(data: npt.NDArray[np.uint8], at: npt.NDArray[np.int64], state: Container) -> Mask:
    """Where the fields of a record's header agree: a fraction of a second, lengths, something captured."""
    words = data[at[:, None] + np.arange(_HEAD_BYTES)].view(state.order + "u4").reshape(-1, 4)
    _, fraction, size, length = np.moveaxis(words, 1, 0)
    where = state.interfaces[0]
    least = evidence_bytes(where.link)
    return np.asarray(
        (fraction < where.ticks_per_s) & (size >= least) & (size <= length) & (length <= MAX_PACKET)
    )
