"""The fixed part of an Atheros CSI record, and what its fields must agree on.

Layout: struct csi_pkt_status and csi_read of the tool's ath9k (ar9003_csi.c): 23 bytes of status, the length
of the payload, the CSI, the payload. In a file the record's length stands before it. Every number of the
header is in the byte order of the host that wrote it; the CSI words are little-endian on all of them.
"""

import struct
from typing import Literal, NamedTuple

import numpy as np

Order = Literal["<", ">"]
ORDER_NAMES: dict[Order, str] = {"<": "little-endian", ">": "big-endian"}
LEAD_BYTE: dict[Order, int] = {"<": 0x00, ">": 0xFF}
"""What a file of the tool's pull request 10 begins with, once, before its first record."""

HEAD_BYTES = 27
"""The length in front of a record, and its fixed part."""
FIXED = HEAD_BYTES - 2
MAX_RECORD = 20480
"""Size of the driver's own buffer; a length beyond it is not believed."""
CHAINS = 3
TONES = {0: 56, 1: 114}
"""Subcarriers by the bandwidth field: 20 or 40 MHz."""
_FIELDS = "HQHHBBBBBBB4xH"
_FORMATS: dict[Order, struct.Struct] = {"<": struct.Struct("<" + _FIELDS), ">": struct.Struct(">" + _FIELDS)}


def csi_bytes(tones: int, nr: int, nc: int) -> int:
    """Length of the CSI: 20 bits a complex value."""
    return (20 * tones * nr * nc + 7) // 8


CSI_BYTES = {
    (tones, nr, nc): csi_bytes(tones, nr, nc)
    for tones in TONES.values()
    for nr in range(1, CHAINS + 1)
    for nc in range(1, CHAINS + 1)
}
CSI_LENGTHS = frozenset(CSI_BYTES.values())


class Head(NamedTuple):
    """The fields of a record that say where it ends and what is in it; names as in the driver."""

    length: int
    timestamp: int
    csi_len: int
    channel: int
    phyerr: int
    noise: int
    rate: int
    bandwidth: int
    tones: int
    nr: int
    nc: int
    payload_len: int

    @property
    def adds_up(self) -> bool:
        """Whether the three lengths agree."""
        return self.length == FIXED + self.csi_len + self.payload_len

    @property
    def looks_right(self) -> bool:
        """Whether bandwidth, tones and receive chains are such as the driver writes."""
        return self.bandwidth in TONES and self.tones in TONES.values() and 1 <= self.nr <= CHAINS

    @property
    def is_sound(self) -> bool:
        """Whether a record starts here beyond reasonable doubt (some 35 bits of evidence)."""
        return self.adds_up and self.looks_right

    @property
    def contradiction(self) -> str | None:
        """Why a record whose lengths agree holds no CSI that could be read, None if it does."""
        if self.tones != TONES.get(self.bandwidth):
            return "wrong_bandwidth"
        expected = CSI_BYTES.get((self.tones, self.nr, self.nc))
        if self.csi_len == expected:
            return None
        if not 1 <= self.nr <= CHAINS:
            return "bad_antennas"
        # The driver derives the streams from length and tones: none come out when the packet was narrower.
        unit = csi_bytes(TONES[0], self.nr, 1)
        if self.tones != TONES[0] and self.csi_len in {unit, 2 * unit, 3 * unit}:
            return "wrong_bandwidth"
        return "bad_antennas" if expected is None else "bad_length"


def read_head(data: memoryview, at: int, order: Order) -> Head:
    """The header at `at`; `HEAD_BYTES` must be there."""
    return Head._make(_FORMATS[order].unpack_from(data, at))


def _head_type(order: Order) -> "np.dtype[np.void]":
    fields = [
        ("length", f"{order}u2"),
        ("timestamp", f"{order}u8"),
        ("csi_len", f"{order}u2"),
        ("channel", f"{order}u2"),
        ("phyerr", "u1"),
        ("noise", "u1"),
        ("rate", "u1"),
        ("bandwidth", "u1"),
        ("tones", "u1"),
        ("nr", "u1"),
        ("nc", "u1"),
        ("rssi", "i1"),
        ("chain_rssi", "i1", (CHAINS,)),
        ("payload_len", f"{order}u2"),
    ]
    return np.dtype(fields)


HEAD_TYPES: dict[Order, "np.dtype[np.void]"] = {"<": _head_type("<"), ">": _head_type(">")}
"""The same header for numpy, whole."""
