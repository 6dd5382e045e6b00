"""Synthetic frames with known physics, as blocks, windows and captures."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from drivers.frame import FRAME_TABLE, FrameBlock
from drivers.registry import load
from models.signal.grid import grid
from models.signal.window import RoomBuffer, Window, WindowSpec

EPOCH_NS = 1_700_000_000_000_000_000
SPACING_HZ = 312_500.0


def times(seconds: float, rate_hz: float, jitter: float = 0.0, seed: int = 0) -> np.ndarray:
    """Capture times in ns from EPOCH_NS; `jitter` is a share of the interval."""
    count = round(seconds * rate_hz)
    moved = np.random.default_rng(seed).uniform(-jitter, jitter, count) / 2
    return EPOCH_NS + ((np.arange(count) + 0.5 + moved) / rate_hz * 1e9).astype(np.int64)


def block(time_ns: np.ndarray, csi: np.ndarray, *, first: int = 0) -> FrameBlock:
    """A block of Intel 5300 frames with `csi` ``[frame, 30, 3, tx]`` quantised to int8."""
    table = np.zeros(len(time_ns), FRAME_TABLE)
    table["capture_ns"] = time_ns
    table["sequence"] = first + np.arange(len(time_ns))
    table["rssi_dbm"] = np.array([-40, -41, -42, np.nan], np.float32)
    table["noise_dbm"], table["agc_db"], table["rate"] = -92, 30, 0x107
    raw = np.stack([csi.real, csi.imag], axis=-1).round().clip(-128, 127).astype(np.int8)
    return FrameBlock(
        nic="intel5300",
        table=table,
        raw=raw,
        subcarrier_index=grid(20).astype(np.int16),
        tones=np.zeros(30, np.uint8),
        bandwidth_mhz=20,
        present=np.ones((3, csi.shape[3]), bool),
        index=first + np.arange(len(time_ns)),
    )


def static(seed: int = 1, tx: int = 2) -> np.ndarray:
    """A still room's channel ``[30, 3, tx]`` of a few echoes, amplitude about 60."""
    rng = np.random.default_rng(seed)
    delay = rng.uniform(20e-9, 120e-9, 6)
    phase = rng.uniform(0, 2 * np.pi, (6, 3, tx))
    gain = 60 / np.sqrt(6) * np.exp(1j * phase)
    turn = np.exp(-2j * np.pi * delay[:, None] * grid(20) * SPACING_HZ)
    return np.asarray(np.einsum("ps,prt->srt", turn, gain))


def moving(time_ns: np.ndarray, people: int, seed: int = 2, tx: int = 2, share: float = 0.25) -> np.ndarray:
    """Echoes of people who walk at 0.2-0.6 m/s, each `share` of the static amplitude."""
    rng = np.random.default_rng(seed)
    t = (time_ns - EPOCH_NS) / 1e9
    total = np.zeros((len(t), 30, 3, tx), complex)
    for _ in range(people):
        doppler = 2 * rng.uniform(0.2, 0.6) / 0.125
        delay = rng.uniform(30e-9, 150e-9)
        phase = rng.uniform(0, 2 * np.pi, (3, tx))
        turn = np.exp(-2j * np.pi * delay * grid(20) * SPACING_HZ)
        track = np.exp(2j * np.pi * (doppler * t + rng.uniform() + 0.2 * np.sin(0.7 * t)))
        total += 60 * share * np.einsum("t,s,rx->tsrx", track, turn, np.exp(1j * phase))
    return total


def noise(frames: int, seed: int = 3, tx: int = 2, size: float = 1.5) -> np.ndarray:
    """Receiver noise of standard deviation `size` per part."""
    rng = np.random.default_rng(seed)
    shape = (frames, 30, 3, tx)
    return size * (rng.standard_normal(shape) + 1j * rng.standard_normal(shape))


def recording(
    seconds: float, people: int, *, rate_hz: float = 50.0, jitter: float = 0.3, seed: int = 0
) -> FrameBlock:
    """A recording of a room with people walking."""
    when = times(seconds, rate_hz, jitter, seed)
    csi = static(seed + 1) + moving(when, people, seed + 2) + noise(len(when), seed + 3)
    return block(when, csi)


def windows(frames: FrameBlock, size: int = 32, spec: WindowSpec | None = None) -> list[Window]:
    """Windows of a recording pushed in blocks of `size`."""
    buffer, found = RoomBuffer(spec or WindowSpec()), []
    for start in range(0, len(frames), size):
        buffer.push("l1", frames.take(slice(start, start + size)))
        found += buffer.closed()
    return found + buffer.closed(flush=True)


def full_window(frames: FrameBlock) -> Window:
    """The window [0 s, 4 s) of a recording, closed by one frame after it."""
    after = frames.take(slice(0, 1))
    table = after.table.copy()
    table["capture_ns"] = EPOCH_NS + 4_000_000_000
    buffer = RoomBuffer(WindowSpec())
    buffer.push("l1", frames)
    buffer.push("l1", replace(after, table=table))
    return next(one for one in buffer.closed(flush=True) if one.start_ns == EPOCH_NS)


def dataset(folder: Path, seconds: float = 12.0, domains: tuple[str, ...] = ("RoomA", "RoomB")) -> Path:
    """A data set of 0-2 people laid out like crowd_rooms_5300, in Intel 5300 bytes."""
    for number, domain in enumerate(domains):
        (folder / domain).mkdir(parents=True)
        for people in range(3):
            frames = recording(seconds, people, seed=100 * number + 10 * people)
            table = frames.table.copy()
            table["capture_ns"] = (table["capture_ns"] - EPOCH_NS) // 1000 * 1000
            ready = replace(frames, table=table)
            (folder / domain / f"{people}p.dat").write_bytes(load("intel5300").encode(ready))
    return folder
