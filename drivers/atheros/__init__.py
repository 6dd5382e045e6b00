"""Atheros ath9k cards (AR9003 and later) with the Atheros CSI Tool: captures and live records, both ways.

Layout: ar9003_csi.c and recvCSI/main.c of the tool (see `layout` and `bits`). Rows of `rx` are the active
receive chains in rising order. The card counts nothing and gives no noise floor. Its clock is a 64-bit field
that the driver fills from 32 bits of the card. `centre_mhz` is the centre of the primary 20 MHz channel; at
40 MHz the middle of the whole channel is 10 MHz above or below it, which the record does not say.
"""

from collections.abc import Iterator
from typing import cast

import numpy as np
import numpy.typing as npt

from drivers.atheros.bits import BATCH, HIGHEST, LOWEST, pack, unpacker
from drivers.atheros.framing import Framing
from drivers.atheros.layout import (
    CHAINS,
    HEAD_BYTES,
    HEAD_TYPES,
    LEAD_BYTE,
    MAX_RECORD,
    ORDER_NAMES,
    TONES,
    Order,
    csi_bytes,
)
from drivers.atheros.live import record_of
from drivers.atheros.table import heads_of, payloads_of, senders_of, table_of
from drivers.frame import FrameBlock, FrameFlag, Tone
from drivers.registry import Parsed

NAME = "atheros"
TITLE = "Atheros ath9k (Atheros CSI Tool)"
CLOCK_WRAP_NS: int | None = 2**32 * 1000
SEQUENCE_WRAP: int | None = None
GROUP_WITHIN_NS: int | None = None
TELLS_TRANSMITTER = True

SUBCARRIERS_20 = np.array([*range(-28, 0), *range(1, 29)], np.int16)
SUBCARRIERS_40 = np.array([*range(-58, -1), *range(2, 59)], np.int16)
_SUBCARRIERS = {len(index): index for index in (SUBCARRIERS_20, SUBCARRIERS_40)}
_PILOTS = {56: (7, 21), 114: (11, 25, 53)}
TONE_KINDS = {
    tones: np.where(np.isin(np.abs(index), _PILOTS[tones]), Tone.PILOT, Tone.DATA).astype(np.uint8)
    for tones, index in _SUBCARRIERS.items()
}
"""Pilots of an HT channel (IEEE 802.11n); the card reports no nulls."""

Heads = npt.NDArray[np.void]
Positions = npt.NDArray[np.int64]


def sniff(head: bytes) -> str | None:
    """Why these first bytes are an Atheros capture, and which variant; None if they are none."""
    framing = Framing(head, final=False)
    frames = len(framing.walk())
    if framing.order is None or framing.first > MAX_RECORD:
        return None
    variant = ORDER_NAMES[framing.order]
    lead = f"lead byte 0x{LEAD_BYTE[framing.order]:02x}" if framing.has_lead_byte else "no lead byte"
    if frames:
        return f"{variant} records, {lead}: {frames} with CSI whose lengths, tones and antennas agree"
    return f"{variant} records, {lead}: a header at byte {framing.first} whose lengths agree, no CSI yet"


def parse(data: bytes | memoryview, *, final: bool, state: object = None) -> Parsed:
    """All frames in `data`, grouped by (tones, nr, nc). Never raises on any bytes.

    `state` is the byte order, once known. Skipped: ``no_csi`` (the driver recorded a packet without CSI).
    Rejected: ``truncated``, ``bad_length``, ``bad_antennas``, ``wrong_bandwidth`` (bandwidth and tones, or
    tones and length of the CSI, contradict each other), ``resync`` (see `drivers.atheros.framing`).
    """
    framing = Framing(data, final=final, order=cast("Order | None", state))
    positions = framing.walk()
    blocks = list(_blocks(data, positions, framing.order)) if framing.order and len(positions) else []
    return Parsed(blocks, framing.consumed, framing.account, framing.order)


def _blocks(data: bytes | memoryview, positions: Positions, order: Order) -> Iterator[FrameBlock]:
    spacing = _spacing(positions)
    heads = np.ascontiguousarray(_spans(data, positions, spacing, HEAD_BYTES)).view(HEAD_TYPES[order])
    kinds = heads["tones"].astype(np.int64) << 4 | heads["nr"] << 2 | heads["nc"]
    everything = np.arange(len(heads), dtype=np.int64)
    if (kinds == kinds[0]).all():
        yield _block(data, positions, spacing, heads, everything)
        return
    for kind in np.unique(kinds):
        index = everything[kinds == kind]
        some = positions[index]
        yield _block(data, some, _spacing(some), heads[index], index)


def _block(
    data: bytes | memoryview, positions: Positions, spacing: int, heads: Heads, index: Positions
) -> FrameBlock:
    """Frames of one shape."""
    tones, nr, nc = (int(heads[name][0]) for name in ("tones", "nr", "nc"))
    raw = np.empty((len(heads), tones, nr, nc, 2), np.int16)
    streams = _spans(data, positions + HEAD_BYTES, spacing, csi_bytes(tones, nr, nc))
    unpack = unpacker(tones, nr, nc).unpack
    for first in range(0, len(heads), BATCH):
        part = slice(first, first + BATCH)
        unpack(streams[part], raw[part])
    table = table_of(heads, senders_of(data, positions, heads))
    if len(zero := _all_zero(raw)):
        table["flags"][zero] |= np.uint32(FrameFlag.ALL_ZERO)
    return FrameBlock(
        nic=NAME,
        table=table,
        raw=raw,
        subcarrier_index=_SUBCARRIERS[tones],
        tones=TONE_KINDS[tones],
        bandwidth_mhz=40 if tones == TONES[1] else 20,
        present=np.ones((nr, nc), np.bool_),
        index=index,
    )


def _all_zero(raw: npt.NDArray[np.int16]) -> Positions:
    """Frames without any value; only those that start with zeros are looked at whole."""
    flat = raw.reshape(len(raw), -1)
    suspects = np.flatnonzero(flat.view(np.uint32)[:, 0] == 0)
    return suspects[~flat[suspects].any(axis=1)]


def _spacing(starts: Positions) -> int:
    """Distance of evenly spaced records, 0 if they are not."""
    if len(starts) == 1:
        return 1
    steps = starts[1:] - starts[:-1]
    return int(steps[0]) if (steps == steps[0]).all() else 0


def _spans(data: bytes | memoryview, starts: Positions, spacing: int, size: int) -> npt.NDArray[np.void]:
    """`size` bytes from each of `starts` on, void [record]; not copied where they are evenly spaced."""
    if spacing:
        return np.ndarray((len(starts),), f"V{size}", data, int(starts[0]), (spacing,))
    windows: npt.NDArray[np.void] = np.ndarray((len(data) - size + 1,), f"V{size}", data, strides=(1,))
    return windows[starts]


def encode(block: FrameBlock) -> bytes:
    """Little-endian records of these frames, in the block's order.

    A frame with a transmitter gets a payload that names it. Which error of the physical layer a flagged frame
    had is not known any more.

    Raises:
        ValueError: the block is not shaped as this card gives it, or its values do not fit 10 bits.
    """
    _, tones, nr, nc, _ = block.raw.shape
    if block.raw.dtype != np.int16 or tones not in _SUBCARRIERS or not (nr <= CHAINS and nc <= CHAINS):
        raise ValueError(
            f"{NAME} takes int16 [frame, 56 or 114, 1..3, 1..3, 2], got {block.raw.dtype} {block.raw.shape}"
        )
    if len(block) and not (block.raw.min() >= LOWEST and block.raw.max() <= HIGHEST):
        raise ValueError(f"{NAME} takes values of 10 bits, {LOWEST} to {HIGHEST}")
    heads = heads_of(block, "<")
    parts = [heads.view(np.uint8).reshape(len(block), -1), pack(block.raw.astype(np.int16, copy=False))]
    records = np.concatenate([*parts, payloads_of(block)], axis=1)
    lengths = heads["length"].astype(np.int64) + 2
    return records[np.arange(records.shape[1]) < lengths[:, None]].tobytes()


def opening() -> bytes:
    """A capture begins with its first record; the lead byte of some files is not written."""
    return b""


def wrap(datagram: bytes, host_ns: int, *, link_layer: bool = False) -> bytes:
    """The file's record of one read of the device, or of one UDP datagram of either byte order.

    The record has no room for the time of the host.
    """
    del host_ns, link_layer
    return record_of(datagram)
