"""What was erased is in no file soon after, whoever read meanwhile."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from service.events import EventType
from service.store.engine import Store, open_store
from service.store.erasing import Range, erase
from service.store.log import append_event
from service.store.retention import DAY_NS, forget_old
from service.store.rooms import delete_room
from service.store.samples import delete_sample
from service.store.schema import samples, site
from service.store.scrubbing import OWED, owe_scrub, settle_scrub
from service.store.settings import RetentionSettings
from service.worker.retention import Broom
from tests.service.running import wait_for
from tests.store.filled import put

MARK = b"WHO-WAS-HERE-4711"
NEVER_SWEEP = RetentionSettings(every_minutes=1440)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    return tmp_path / "store"


@pytest.fixture
def file_store(place: Path) -> Iterator[Store]:
    """A store in a file, with a room, its sample and an event of it."""
    opened = open_store(f"sqlite:///{place / 's.sqlite3'}")
    put(opened, "lab")
    row = {"room": "lab", "task": "presence", "label": "vacant", "state": "accepted", "origin": "live"}
    times = {"from_ns": 1, "to_ns": 2, "created_ns": 1}
    with opened.write() as connection:
        connection.execute(
            sa.insert(samples).values(
                sample="s1", verdict={}, bytes=9, actor="t", windows=MARK * 500, **row, **times
            )
        )
        data = {"who": MARK.decode()}
        append_event(connection, EventType.ALERT_RAISED, room="lab", data=data, time_ns=time.time_ns())
    assert opened.scrub()
    yield opened
    opened.close()


def marks(place: Path) -> int:
    return sum(path.read_bytes().count(MARK) for path in place.iterdir())


def owed(store: Store) -> bool:
    with store.read() as connection:
        return connection.execute(sa.select(site.c.value).where(site.c.key == OWED)).first() is not None


def test_a_deleted_sample_is_in_no_file(file_store: Store, place: Path) -> None:
    assert marks(place) > 400
    assert delete_sample(file_store, "lab", "s1", actor="test")
    assert marks(place) == 1, "of the event"


def test_what_retention_took_is_in_no_file(file_store: Store, place: Path) -> None:
    settings = RetentionSettings(samples_days=1, events_days=1)
    assert sum(forget_old(file_store, settings, time.time_ns() + 2 * DAY_NS)) > 1
    assert settle_scrub(file_store)
    assert marks(place) == 0


@pytest.mark.parametrize("way", ["erase", "delete"])
def test_a_reader_puts_it_off_until_it_is_done(file_store: Store, place: Path, way: str) -> None:
    with file_store.read() as reader:
        reader.execute(sa.select(samples.c.sample)).all()
        if way == "erase":
            erase(file_store, "lab", Range(), actor="test")
        else:
            delete_room(file_store, "lab", check=lambda _: None, actor="test")
        assert not settle_scrub(file_store)
        assert marks(place)
        assert owed(file_store)
    with Broom(file_store, NEVER_SWEEP, scrub_every_s=0.05):
        wait_for(lambda: not owed(file_store), "the scrub")
    assert marks(place) == 0


def test_a_reader_keeps_writers_out_for_a_moment_only(file_store: Store) -> None:
    with file_store.read() as reader:
        reader.execute(sa.select(samples.c.sample)).all()
        began = time.monotonic()
        delete_sample(file_store, "lab", "s1", actor="test")
        assert time.monotonic() - began < 3, "no writer gets in meanwhile"
    with file_store.engine.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar() == 5000, "as it was before"


def test_what_is_erased_meanwhile_is_owed_anew(file_store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    with file_store.write() as connection:
        owe_scrub(connection)

    def scrub_and_erase(within_s: float) -> bool:
        assert within_s < 0.05, "it is tried often, and writers wait meanwhile"
        with file_store.write() as connection:
            owe_scrub(connection)
        return True

    monkeypatch.setattr(file_store, "scrub", scrub_and_erase)
    settle_scrub(file_store)
    assert owed(file_store)
    monkeypatch.undo()
    assert settle_scrub(file_store)
    assert not owed(file_store)


def test_another_database_sees_to_it_itself(store: Store) -> None:
    with store.write() as connection:
        connection.execute(sa.insert(site).values(key=OWED, value="of a backup of SQLite"))
    assert settle_scrub(store)
    assert not owed(store)
