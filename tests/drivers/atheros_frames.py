"""Atheros frames and records made on the spot, for tests that must run anywhere."""

import struct

import numpy as np

from drivers import atheros
from drivers.frame import FRAME_TABLE, FrameBlock, FrameFlag, every_stream

SENDER = 0x0016EA123456


def make_block(
    frames: int,
    *,
    wide: bool = False,
    nr: int = 3,
    nc: int = 2,
    sender: int = SENDER,
    seed: int = 0,
    start_us: int = 1_000,
) -> FrameBlock:
    """Random frames as the card could give them."""
    rng = np.random.default_rng(seed)
    tones = 114 if wide else 56
    table = np.zeros(frames, FRAME_TABLE)
    table["sequence"] = -1
    table["capture_ns"] = (start_us + 10_000 * np.arange(frames)) * 1000
    table["rssi_dbm"] = np.nan
    table["rssi_dbm"][:, :nr] = rng.integers(1, 80, (frames, nr)) - 95
    table["noise_dbm"] = np.nan
    table["transmitter"] = sender
    table["rate"] = 0x8F
    table["centre_mhz"] = 5180
    table["flags"] = FrameFlag.HT40 if wide else FrameFlag.NONE
    return FrameBlock(
        nic="atheros",
        table=table,
        raw=rng.integers(-512, 512, (frames, tones, nr, nc, 2)).astype(np.int16),
        subcarrier_index=atheros.SUBCARRIERS_40 if wide else atheros.SUBCARRIERS_20,
        tones=atheros.TONE_KINDS[tones],
        bandwidth_mhz=40 if wide else 20,
        present=every_stream([True] * nr, nc),
        index=np.arange(frames),
    )


def records(frames: int, **words: object) -> list[bytes]:
    """Encoded frames, one record each."""
    block = make_block(frames, **words)  # type: ignore[arg-type]
    return [atheros.encode(block.take(slice(row, row + 1))) for row in range(frames)]


def record(
    csi: bytes,
    payload: bytes = b"",
    *,
    order: str = "<",
    bandwidth: int = 0,
    tones: int = 56,
    nr: int = 3,
    nc: int = 2,
    phyerr: int = 0,
    csi_len: int | None = None,
    chains: tuple[int, int, int] = (40, 41, 42),
    timestamp: int = 7_000_000,
) -> bytes:
    """One record by hand, in either byte order, with fields that may lie."""
    stated = len(csi) if csi_len is None else csi_len
    fixed = struct.pack(
        f"{order}QHH7B4bH",
        timestamp,
        stated,
        5180,
        phyerr,
        0,
        0x8F,
        bandwidth,
        tones,
        nr,
        nc,
        42,
        *chains,
        len(payload),
    )
    body = fixed + csi + payload
    return struct.pack(f"{order}H", len(body)) + body


def turned(data: bytes) -> bytes:
    """One little-endian record as a big-endian host would have written it."""
    length, *fields = struct.unpack("<HQHH11sH", data[:27])
    return struct.pack(">HQHH11sH", length, *fields) + data[27:]
