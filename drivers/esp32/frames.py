"""Whole rows to frames: what their fields must be, and what becomes of them."""

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from drivers.account import Account
from drivers.esp32.columns import NUMBERS
from drivers.esp32.lines import Rows
from drivers.esp32.numbers import Numbers, read_numbers
from drivers.esp32.tones import BINS, centre_mhz, subcarriers, tones
from drivers.frame import FRAME_TABLE, NO_SEQUENCE, FrameBlock, FrameFlag, Tone

LLTF_BYTES = 2 * BINS
LENGTHS = (128, 256, 376, 380, 384, 612)
"""`len` of rows that begin with an LLTF (ESP-IDF's table for ESP32, S2, S3 and C3)."""
HT40_ONLY = 256
"""`len` of a 40 MHz packet without its LLTF, which the firmware was told to leave out."""
RANGES = {
    "rssi": (-128, 127),
    "noise_floor": (-128, 127),
    "channel": (0, 255),
    "secondary_channel": (0, 2),
    "sig_mode": (0, 3),
    "bandwidth": (0, 1),
    "first_word": (0, 1),
}
RATE_FIELDS = (("rate", 0, 5), ("sig_mode", 5, 2), ("bandwidth", 7, 1), ("mcs", 8, 7), ("sgi", 15, 1))
"""Columns packed into `rate` of a frame: name, lowest bit, bits."""

Fields = dict[str, npt.NDArray[np.int64]]
_REASONS = ("", "unsupported_chip", "bad_row", "bad_length", "no_lltf")


def frames_of(rows: Rows, account: Account) -> Iterator[FrameBlock]:
    """Blocks of these rows' frames; `index` is the row's place. Every row is counted in `account`."""
    fields, numbers = _fields(rows), read_numbers(rows.bodies)
    reasons, sizes = _reasons(rows, fields, numbers), np.array(rows.sizes, np.int64)
    for code in np.unique(reasons).tolist():
        chosen = sizes[reasons == code]
        if code:
            account.reject(_REASONS[code], int(chosen.sum()), len(chosen))
        else:
            account.frame(len(chosen), int(chosen.sum()))
    kinds = (fields["secondary_channel"] > 0) * 2 + fields["first_word"]
    for kind in range(4):
        if len(chosen := np.flatnonzero((reasons == 0) & (kinds == kind))):
            yield _block(rows, fields, numbers, chosen, rising=kind >= 2, first_word_invalid=kind % 2 == 1)


def _fields(rows: Rows) -> Fields:
    """Every column of `NUMBERS`, int64 ``[row]``."""
    known = np.array(rows.numbers).astype(np.int64)
    fields = {name: np.full(len(rows.bodies), default, np.int64) for name, default in NUMBERS.items()}
    return fields | {name: known[:, column] for column, name in enumerate(rows.columns.numbers)}


def _reasons(rows: Rows, fields: Fields, numbers: Numbers) -> npt.NDArray[np.uint8]:
    """Why each row is rejected, as a place in `_REASONS`; 0 for a frame."""
    reasons = np.zeros(len(rows.bodies), np.uint8)
    if not rows.columns.has_order:
        return reasons + np.uint8(1)
    length, count = fields["len"], numbers.count
    reasons[(length == HT40_ONLY) & (fields["bandwidth"] == 1)] = 4
    is_whole = (count == length) | ((count == LLTF_BYTES) & (length > LLTF_BYTES))
    reasons[~is_whole | ~np.isin(length, LENGTHS)] = 3
    reasons[~numbers.sound] = 2
    for name, (low, high) in RANGES.items():
        reasons[(fields[name] < low) | (fields[name] > high)] = 2
    return reasons


def _block(
    rows: Rows,
    fields: Fields,
    numbers: Numbers,
    chosen: npt.NDArray[np.int64],
    *,
    rising: bool,
    first_word_invalid: bool,
) -> FrameBlock:
    pairs = numbers.bytes_of(chosen, LLTF_BYTES).reshape(len(chosen), BINS, 1, 1, 2)
    kinds = tones(rising=rising, first_word_invalid=first_word_invalid)
    table = _table({name: values[chosen] for name, values in fields.items()}, counts=rows.columns.counts)
    table["transmitter"] = [int(rows.macs[row].replace(b":", b""), 16) for row in chosen.tolist()]
    is_zero = ~pairs[:, kinds <= Tone.PILOT].any(axis=(1, 2, 3, 4))
    table["flags"][is_zero] |= np.uint32(FrameFlag.ALL_ZERO)
    return FrameBlock(
        nic="esp32",
        table=table,
        raw=np.ascontiguousarray(pairs[..., ::-1]),
        subcarrier_index=subcarriers(rising=rising),
        tones=kinds,
        bandwidth_mhz=20,
        present=np.ones((1, 1), np.bool_),
        index=np.array(rows.places, np.int64)[chosen],
    )


def _table(fields: Fields, *, counts: bool) -> npt.NDArray[np.void]:
    """Everything but transmitter and values; 0 dBm stands for unknown, numbers printed signed are not."""
    table = np.zeros(len(fields["rssi"]), FRAME_TABLE)
    table["sequence"] = fields["id"] % 2**32 if counts else NO_SEQUENCE
    table["capture_ns"] = fields["local_timestamp"] % 2**32 * 1000
    table["rssi_dbm"] = np.nan
    table["rssi_dbm"][:, 0] = np.where(fields["rssi"] == 0, np.nan, fields["rssi"])
    table["noise_dbm"] = np.where(fields["noise_floor"] == 0, np.nan, fields["noise_floor"])
    for name, low, bits in RATE_FIELDS:
        table["rate"] |= (fields[name] % 2**bits << low).astype(np.uint16)
    table["centre_mhz"] = centre_mhz(fields["channel"])
    table["flags"][fields["rx_state"] != 0] = FrameFlag.PHY_ERROR
    return table
