"""A capture through a worker with a real store: predictions of each window, and the states at the end."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drivers.wire import Source
from models.data.capture import blocks_of
from models.sensing import Sensing
from service.rooms.config import RoomConfig
from service.settings import Settings
from service.store.engine import open_store
from service.store.rooms import put_room
from service.store.schema import predictions
from tests.service.bench import Bench
from tests.service.frames import Talker

NIC, LINK, ROOM = "intel5300", "l1", "b"
START_NS = 1_700_000_000_000_000_000
_TURNS = 500


@dataclass(frozen=True, slots=True)
class Served:
    """Predictions in order of time, as stored; and the states by task."""

    predictions: list[dict[str, Any]]
    states: dict[str, dict[str, Any]]


def serve(capture: Path, sensing: Sensing, tasks: list[str], folder: Path, source: Source) -> Served:
    """Frames of a capture as a sender would send them, block by block, into one room with these tasks.

    Args:
        capture: of an Intel 5300.
        sensing: the models.
        tasks: of the room.
        folder: where the store is made; nothing may be there.
        source: what the sender says its frames are.
    """
    store = open_store(f"sqlite:///{folder / 'served.sqlite3'}")
    try:
        config = RoomConfig(links=[LINK], tasks=tasks)
        put_room(store, ROOM, config, check=lambda _before: None, actor="test", nics={LINK: NIC})
        bench = Bench(store, Settings(data_dir=folder), sensing=sensing)  # type: ignore[arg-type]
        talker = bench.talker(LINK, ROOM, source)
        _send(talker, bench, capture)
        found = sorted(bench.rows(predictions), key=lambda row: int(row["to_ns"]))
        return Served(found, {task: bench.state(task, ROOM) for task in tasks})
    finally:
        store.close()


def _send(talker: Talker, bench: Bench, capture: Path) -> None:
    for block in blocks_of(capture, NIC):
        table = block.table
        table["capture_ns"] += START_NS
        talker.send(block)
        bench.worker.turn(0.0)  # what has a time of its own is done at that time
    talker.flush()
    for _ in range(_TURNS):
        bench.turn(1)
        if not bench.worker._pending:
            return
    raise AssertionError("the worker did not come to an end")
