"""One simulated recording on Unix-like time, and stretches cut out of it."""

from collections.abc import Sequence
from dataclasses import replace

from drivers.frame import FrameBlock
from drivers.simulate.scene import Scene
from drivers.simulate.simulation import simulate

_EPOCH_NS = 1_700_000_000_000_000_000
_BETWEEN_NS = 3600 * 1_000_000_000  # recordings of one room lie an hour apart
_PER_ROOM = 64


def room_number(seed: int, room: int) -> int:
    """Seed of room number `room` of the corpus `seed`."""
    return seed * 100_000 + room


def room_name(number: int) -> str:
    """Name of the room that this seed makes."""
    return f"sim-{number:08d}"


def start_ns(room: int, turn: int) -> int:
    """When recording number `turn` of room number `room` begins, Unix-like nanoseconds."""
    return _EPOCH_NS + (room * _PER_ROOM + turn) * _BETWEEN_NS


def record(scene: Scene, begin_ns: int) -> list[FrameBlock]:
    """Every frame of a scene in order of time; ``capture_ns`` counts from `begin_ns`."""
    chunks = simulate(scene, chunk_s=2.0)
    return [_on_unix_time(block, begin_ns) for chunk in chunks for block in chunk.blocks]


def cut(blocks: Sequence[FrameBlock], from_ns: int, to_ns: int) -> list[FrameBlock]:
    """The frames from `from_ns` to before `to_ns`; blocks with none of them are left out."""
    found = []
    for block in blocks:
        times = block.table["capture_ns"]
        inside = (times >= from_ns) & (times < to_ns)
        if inside.any():
            found.append(block.take(inside.nonzero()[0]))
    return found


def _on_unix_time(block: FrameBlock, begin_ns: int) -> FrameBlock:
    """The block with its NIC time counted from `begin_ns`."""
    table = block.table.copy()
    table["capture_ns"] += begin_ns
    return replace(block, table=table)
