"""Nexmon frames and datagrams made on the spot, for tests that must run anywhere."""

import struct

import numpy as np

from drivers import nexmon
from drivers.frame import FRAME_TABLE, FrameBlock, FrameFlag
from drivers.nexmon.tones import subcarrier_index, tones

START_NS = 1_600_000_000_000_000_000
CENTRES = {20: 2437, 40: 5190, 80: 5210, 160: 5250}
WIDTHS = {20: 2, 40: 3, 80: 4, 160: 5}
HEADERS_BYTES = 42


def float_values(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Values as BCM4366c0 packs them: 11 bits and a sign, an exponent for both parts."""
    mantissa = rng.integers(-2047, 2048, (*shape, 2))
    return np.ldexp(mantissa, rng.integers(-32, 32, shape)[..., None]).astype(np.float32)


def make_block(
    frames: int,
    *,
    bandwidth: int = 80,
    floats: bool = False,
    rssi: bool = True,
    members: tuple[tuple[int, int], ...] = ((0, 0),),
    transmitter: int = 0x0016EA123456,
    seed: int = 0,
    first: int = 0,
    start_ns: int = START_NS,
    step_ns: int = 10_000_000,
) -> FrameBlock:
    """Random packets as the card could give them; `members`: (core, stream) of the packets of one frame."""
    rng, bins = np.random.default_rng(seed), 64 * bandwidth // 20
    whole = np.arange(frames) // len(members)
    table = np.zeros(frames, FRAME_TABLE)
    table["sequence"] = (first + whole) % 4096
    table["capture_ns"] = start_ns + whole * step_ns + np.arange(frames) % len(members) * 400_000
    table["rssi_dbm"] = np.nan
    if rssi:
        table["rssi_dbm"][:, 0] = rng.integers(-90, -20, frames)
    elif not floats:
        table["flags"] = FrameFlag.IQ_SUSPECT
    table["noise_dbm"] = np.nan
    table["transmitter"] = transmitter
    table["centre_mhz"] = CENTRES[bandwidth]
    for name, column in (("core", 0), ("stream", 1)):
        table[name] = [members[row % len(members)][column] for row in range(frames)]
    integers = rng.integers(-(2**15), 2**15, (frames, bins, 1, 1, 2)).astype(np.int16)
    return FrameBlock(
        nic="nexmon",
        table=table,
        raw=float_values(rng, (frames, bins, 1, 1)) if floats else integers,
        subcarrier_index=subcarrier_index(bandwidth),
        tones=tones(bandwidth, rssi),
        bandwidth_mhz=bandwidth,
        present=np.ones((1, 1), np.bool_),
        index=np.arange(frames),
    )


def records(frames: int, **words: object) -> list[bytes]:
    """Encoded packets, one pcap record each."""
    data = nexmon.encode(make_block(frames, **words))  # type: ignore[arg-type]
    size = len(data) // frames
    return [data[at : at + size] for at in range(0, len(data), size)]


def datagram(
    values: bytes = bytes(range(256)) * 4,
    *,
    bandwidth: int = 80,
    chip: int = 0x65,
    rssi: int = -50,
    frame_control: int = 0x88,
    stream: int = 0,
    sequence: int = 7,
    chanspec: int | None = None,
) -> bytes:
    """What the firmware sends: a standard header and CSI."""
    channel = 42 | WIDTHS[bandwidth] << 11 | 0xC000 if chanspec is None else chanspec
    head = struct.pack("<HbB", 0x1111, rssi, frame_control) + bytes.fromhex("0016ea123456")
    return head + struct.pack("<HHHH", sequence << 4, stream, channel, chip) + values


def plus_datagram(values: bytes = bytes(range(256)) * 4, *, rssi: int = -61, sequence: int = 7) -> bytes:
    """The same with the 44-byte header."""
    macs = bytes.fromhex("ffffffffffff 0016ea123456 0016ea123457")
    numbers = struct.pack("<HHh5HHHH", 0x80, sequence << 4, rssi, *[0x4F47] * 5, 1 | 2 << 3, 0xE02A, 0x65)
    return struct.pack("<I", 0x11111111) + macs + numbers + values
