"""Columns of the CSV rows that ESP32 firmware prints: by the header line, else by their number.

Known sets: the ESP32-CSI-Tool's 26 columns; those of esp-csi's `csi_recv` and `csi_recv_router` (25); and
those of esp-csi for the ESP32-C5 and C6 (15), whose rows do not say in which order the subcarriers stand.
Others are read by their header, if it names at least `REQUIRED`.
"""

import re
from dataclasses import dataclass
from functools import cached_property, lru_cache

ROW = b"CSI_DATA,"
"""What every row starts with."""
TOOL = (
    "type,role,mac,rssi,rate,sig_mode,mcs,bandwidth,smoothing,not_sounding,aggregation,stbc,fec_coding,sgi,"
    "noise_floor,ampdu_cnt,channel,secondary_channel,local_timestamp,ant,sig_len,rx_state,real_time_set,"
    "real_timestamp,len,CSI_DATA"
)
"""Header line of the ESP32-CSI-Tool."""
_ESP_CSI = TOOL.replace("role", "id").replace(
    "real_time_set,real_timestamp,len,CSI_DATA", "len,first_word,data"
)
_C5_C6 = (
    "type,seq,mac,rssi,rate,noise_floor,fft_gain,agc_gain,channel,local_timestamp,sig_len,rx_state,len,first_word,"
    "data"
)
REQUIRED = frozenset({"mac", "rssi", "local_timestamp", "len", "data"})
NUMBERS = {
    "id": 0,
    "rssi": 0,
    "rate": 0,
    "sig_mode": 0,
    "mcs": 0,
    "bandwidth": 0,
    "sgi": 0,
    "noise_floor": 0,
    "channel": 0,
    "secondary_channel": 0,
    "local_timestamp": 0,
    "rx_state": 0,
    "len": 0,
    "first_word": 1,
}
"""Columns that are read, and what holds where a set has none of that name."""
_ALIASES = {
    "CSI_DATA": "data",
    "seq": "id",
    "sequence": "id",
    "cwb": "bandwidth",
    "first_word_invalid": "first_word",
}
_HEADER = re.compile(rb"type,[A-Za-z0-9_,]+")


@dataclass(frozen=True)
class Columns:
    """One set of columns; immutable, so that it can be a parser's state.

    Attributes:
        names: the columns in order, by the names used here, up to the data.
    """

    names: tuple[str, ...]

    @cached_property
    def numbers(self) -> tuple[str, ...]:
        """Those of `NUMBERS` that there are, in order of columns."""
        return tuple(name for name in self.names if name in NUMBERS)

    @cached_property
    def mac_group(self) -> int:
        """Which of the groups of `pattern` is the MAC address; the others are `numbers`, then the data."""
        return sum(name in NUMBERS for name in self.names[: self.names.index("mac")])

    @cached_property
    def pattern(self) -> re.Pattern[bytes]:
        """A whole row; its groups are the columns that are read, in order."""
        return re.compile(b",".join(map(_field, self.names)))

    @property
    def counts(self) -> bool:
        """Whether rows are numbered."""
        return "id" in self.names

    @property
    def has_order(self) -> bool:
        """Whether a row says in which order its subcarriers stand."""
        return "secondary_channel" in self.names


def _field(name: str) -> bytes:
    if name == "data":
        return rb'\s*"?\[([-0-9,\s]*)\]'
    if name == "mac":
        return rb"\s*([0-9A-Fa-f]{2}(?::[0-9A-Fa-f]{2}){5})\s*"
    return rb"\s*(-?[0-9]{1,10})\s*" if name in NUMBERS else rb"[^,\[\]]*"


@lru_cache(maxsize=16)
def columns_of(header: str) -> Columns | None:
    """The columns that a header line names, None if it is none of an ESP32's."""
    names = [_ALIASES.get(name, name) for name in header.split(",")]
    if not set(names) >= REQUIRED or len(set(names)) < len(names):
        return None
    return Columns(tuple(names[: names.index("data") + 1]))


def header_in(line: bytes) -> Columns | None:
    """The columns named by a line that ends with a header; None for any other line."""
    at = line.find(b"type,")
    if at < 0 or not _HEADER.fullmatch(line, at, len(line.rstrip())):
        return None
    return columns_of(line[at:].decode().rstrip())


KNOWN = {len(known.names): known for known in map(columns_of, (TOOL, _ESP_CSI, _C5_C6)) if known is not None}
"""The known sets by their number of columns, for rows without a header."""


def columns_for(row: bytes, header: Columns | None) -> Columns | None:
    """The columns of a row: the header's, or where it has another number of them (or none), those known.

    A live port is joined after the board has printed its header: the last one may be another firmware's.
    """
    bracket = row.find(b"[")
    count = row.count(b",", 0, bracket) + 1 if bracket >= 0 else 0
    return header if header is not None and len(header.names) == count else KNOWN.get(count)
