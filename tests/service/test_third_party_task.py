"""A task of another package: named in a room's configuration, served by the worker, kept when it is gone."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from pydantic import ValidationError

from models.sensing import Sensing
from models.tasks import task_of
from service.bus.memory import MemoryHub, MemoryIngest, MemorySignals
from service.rooms.config import RoomConfig
from service.settings import IngestSettings, Settings
from service.store.engine import Store, open_store
from service.store.history import prediction_page
from service.store.rooms import get_room, put_room
from service.store.schema import states
from service.worker.loop import Worker
from tests.packages import Install
from tests.service.frames import Talker, frames

NAPPING = """
from models.prediction import Prediction
class Napping:
    name, needs_model = "napping", False
    def predict(self, evidence):
        return Prediction("napping", "asleep", 0.75)
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    task_of.cache_clear()
    yield Install(tmp_path, monkeypatch)
    task_of.cache_clear()


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = open_store(f"sqlite:///{tmp_path / 'store.sqlite3'}")
    yield store
    store.close()


def room(store: Store) -> None:
    config = RoomConfig(links=["l1"], tasks=["presence", "napping"])
    put_room(store, "b", config, check=lambda _before: None, actor="test", nics={"l1": "intel5300"})


def state(store: Store) -> dict[str, object]:
    with store.read() as connection:
        query = sa.select(states.c.doc).where(states.c.task == "napping")
        found: dict[str, object] = connection.execute(query).scalar_one()
    return found


def run(store: Store, folder: Path) -> None:
    """A worker with no model at all, on twelve seconds of frames."""
    hub = MemoryHub()
    worker = Worker(
        Settings(data_dir=folder, ingest=IngestSettings(auto_rooms=True)),
        store,
        ingest=MemoryIngest(hub),
        signals=MemorySignals(hub, "worker", ["api"]),
        sensing=Sensing([]),
        now_ns=time.time_ns,
    )
    worker.start()
    talker = Talker(hub.sender())
    talker.hello()
    talker.send(frames(0, 12))
    for _ in range(6):
        worker._due = dict.fromkeys(worker._due, 0.0)
        worker.turn(0.0)


def test_a_room_names_it_and_the_worker_serves_it(install: Install, store: Store, tmp_path: Path) -> None:
    install("roomtone.tasks", "napping", "toy_napping", NAPPING, "Napping")
    room(store)
    run(store, tmp_path)
    assert (state(store)["status"], state(store)["value"]) == ("ok", "asleep")
    page, _ = prediction_page(store, "b", limit=1000)
    assert {one["task"] for one in page} == {"presence", "napping"}


def test_nobody_can_name_a_task_that_is_not_there(install: Install) -> None:
    with pytest.raises(ValidationError, match="no task of that name; there are presence, counting"):
        RoomConfig(tasks=["napping"])


def test_a_task_whose_package_is_gone_stays_named_and_is_unknown(
    install: Install, store: Store, tmp_path: Path
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        (tmp_path / "gone").mkdir()
        Install(tmp_path / "gone", patch)("roomtone.tasks", "napping", "toy_gone", NAPPING, "Napping")
        room(store)
    kept = get_room(store, "b")
    assert kept is not None
    assert kept.config.tasks == ["presence", "napping"]
    run(store, tmp_path)
    assert (state(store)["status"], state(store)["reason"]) == ("unknown", "no_model")
