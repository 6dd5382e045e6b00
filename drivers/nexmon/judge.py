"""Which packets are CSI, and why the others are not."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from drivers.nexmon.layout import (
    BIN_BYTES,
    MAGIC,
    OLD_MAGIC,
    PACKINGS,
    PLUS,
    PORT,
    SIZES,
    STANDARD,
    csi_bytes,
    packing_of,
)
from drivers.pcap import Packets, Udp

Ints = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]
Data = bytes | memoryview
SKIPS = ("non_csi", "empty")
REASONS = (
    "",
    *SKIPS,
    "too_short",
    "truncated",
    "bad_length",
    "unsupported_chip",
    "wrong_bandwidth",
    "bad_stream",
)
"""Why a packet is no frame; the first stands for those that are."""
_NUMBER = {reason: number for number, reason in enumerate(REASONS)}
_ADDRESS, _ADDRESS_AT = np.uint64(2**48 - 1), (4, 10)
"""The transmitter's address: low bits of a number of 8 bytes, and where it is in the two headers."""
_MOST = 3
"""Highest core and stream."""
FIELDS = np.dtype(
    [
        ("packet", "<i8"),
        ("csi", "<i8"),
        ("size", "<i8"),
        ("transmitter", "<u8"),
        ("sequence_control", "<u2"),
        ("chanspec", "<u2"),
        ("chip", "<u2"),
        ("rssi", "<f4"),
        ("core", "u1"),
        ("stream", "u1"),
        ("packing", "u1"),
        ("old", "?"),
        ("plus", "?"),
    ]
)
"""Of a frame: its packet, where its CSI is and how long, and what its header says; `rssi` NaN if nothing.

`old`: a standard header of firmware before it reported RSSI.
"""


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """`reason`: index into `REASONS` of each packet; `fields`: of those that are frames, in their order."""

    reason: npt.NDArray[np.uint8]
    fields: npt.NDArray[np.void]


def judge(data: Data, packets: Packets, udp: Udp) -> Judged:
    """What each packet is."""
    reason = np.zeros(len(packets), np.uint8)
    with_magic = _outside(data, packets, udp, reason)
    found = []
    for header in (STANDARD, PLUS):
        if not with_magic.any():
            break
        rows = np.flatnonzero(with_magic & _holds_csi(udp.length - header.itemsize))
        if header is PLUS:
            rows = rows[_gather(data, udp.at[rows], PLUS)["magic"] == OLD_MAGIC]
        if len(rows):
            with_magic[rows] = False
            found.append(_read(data, udp, rows, header, reason))
    reason[with_magic] = np.where(
        udp.length[with_magic] < STANDARD.itemsize, _NUMBER["too_short"], _NUMBER["bad_length"]
    )
    if reason.any():
        reason[(reason > 0) & udp.is_udp & (udp.port != PORT)] = _NUMBER["non_csi"]
    return Judged(reason, _joined(found))


def _outside(data: Data, packets: Packets, udp: Udp, reason: npt.NDArray[np.uint8]) -> Mask:
    """Judge by what is around the datagram; True for those that are whole and start with the magic."""
    known = udp.is_udp & (udp.length >= 0)
    there = known & (udp.length >= 2) & (udp.at + 2 <= udp.end)
    with_magic = there.copy()
    rows = slice(None) if there.all() else np.flatnonzero(there)
    with_magic[rows] = _gather(data, udp.at[rows], np.dtype("<u2")) == MAGIC
    whole = udp.at + udp.length <= udp.end
    if (good := with_magic & whole).all():
        return good
    reason[udp.is_other | there & ~with_magic] = _NUMBER["non_csi"]
    reason[~udp.is_udp & ~udp.is_other] = _NUMBER["too_short"]
    reason[udp.is_udp & (udp.length < 0)] = _NUMBER["bad_length"]
    reason[known & ~there] = _NUMBER["too_short"]
    reason[known & (udp.length == 0)] = _NUMBER["empty"]
    reason[with_magic & ~whole] = _NUMBER["bad_length"]
    cut = packets.cut & ((known & ~whole & (with_magic | ~there)) | (~udp.is_udp & ~udp.is_other))
    reason[cut] = _NUMBER["truncated"]
    return good


def _holds_csi(size: Ints) -> Mask:
    """Which of these are possible sizes of CSI."""
    if (size == size[0]).all():
        return np.full(len(size), int(size[0]) in SIZES)
    return np.isin(size, SIZES)


def _gather(data: Data, at: Ints, kind: np.dtype[Any]) -> npt.NDArray[Any]:
    """One item of `kind` at each place, which must lie wholly in the buffer."""
    windows: npt.NDArray[np.void] = np.ndarray(
        (max(len(data) - kind.itemsize + 1, 0),), f"V{kind.itemsize}", data, strides=(1,)
    )
    return windows[at].view(kind)


def _read(
    data: Data, udp: Udp, rows: Ints, header: np.dtype[np.void], reason: npt.NDArray[np.uint8]
) -> npt.NDArray[np.void]:
    """Fields of packets with this header; those that cannot be true are given a reason and left out."""
    heads = _gather(data, udp.at[rows], header)
    fields = np.zeros(len(rows), FIELDS)
    fields["packet"], fields["csi"] = rows, udp.at[rows] + header.itemsize
    fields["size"] = udp.length[rows] - header.itemsize
    for name in ("sequence_control", "chanspec", "chip"):
        fields[name] = heads[name]
    fields["packing"] = packing_of(heads["chip"])
    fields["plus"] = header is PLUS
    if header is STANDARD:
        fields["old"] = _at(heads, 0, "<u4") == OLD_MAGIC
    fields["rssi"] = heads["rssi"]
    fields["rssi"][fields["old"]] = np.nan
    address = _at(heads, _ADDRESS_AT[header is PLUS] - 2, ">u8")
    fields["transmitter"] = address & _ADDRESS
    odd = _streams(heads["stream"], fields)
    bad = np.where(odd, _NUMBER["bad_stream"], 0)
    bad[csi_bytes(heads["chanspec"]) != fields["size"]] = _NUMBER["wrong_bandwidth"]
    bad[fields["packing"] >= len(PACKINGS)] = _NUMBER["unsupported_chip"]
    reason[rows] = bad
    return fields[bad == 0] if bad.any() else fields


def _at(heads: npt.NDArray[np.void], offset: int, kind: str) -> npt.NDArray[Any]:
    """Numbers of this kind at the same place of every header."""
    return np.ndarray((len(heads),), kind, heads, offset, heads.strides)


def _streams(word: npt.NDArray[np.uint16], fields: npt.NDArray[np.void]) -> Mask:
    """Fill in core (bits 0-2) and stream (bits 3-5), bytes swapped by some builds; True where neither."""
    if not word.any():
        return np.zeros(len(word), np.bool_)
    word = np.where(word > 63, word.byteswap(), word)
    fields["core"], fields["stream"] = word & 7, word >> 3 & 7
    return np.asarray((word > 63) | (fields["core"] > _MOST) | (fields["stream"] > _MOST))


def _joined(found: list[npt.NDArray[np.void]]) -> npt.NDArray[np.void]:
    """Fields in the order of the packets."""
    if not found:
        return np.zeros(0, FIELDS)
    if len(found) == 1:
        return found[0]
    fields = np.concatenate(found)
    return fields[np.argsort(fields["packet"])]


def bins(fields: npt.NDArray[np.void]) -> int:
    """Subcarriers of frames of one size."""
    return int(fields["size"][0]) // BIN_BYTES
