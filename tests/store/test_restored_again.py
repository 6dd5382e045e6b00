"""One archive restored twice: neither gives out numbers that the other gave."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from service.store.audit import audit_head, record
from service.store.backup.apart import NUMBERS_APART, ROOMS_SPREAD, apart, revisions_apart
from service.store.backup.load import restore_backup
from service.store.backup.manifest import BackupError
from service.store.bacnet import MAX_INSTANCE, Device, device, known_device, room_numbers
from service.store.engine import Store, open_store
from service.store.eventlog import read_events, read_head
from service.store.rooms import list_rooms
from tests.store.filled import put
from tests.store.test_backup import _rewrite
from tests.store.test_log import fill
from tests.store.test_restored_numbers import saved

Make = Callable[..., str]
S = 1000


def restored(url: str, folder: Path, file: Path) -> Store:
    put_back(url, folder, file)
    return open_store(url)


def put_back(url: str, folder: Path, file: Path) -> None:
    restore_backup(url, folder / "place", file, replace=True)


def serve(store: Store, room: str) -> tuple[int, int]:
    """The BACnet number of a new room, and the revision of the objects with it."""
    put(store, room)
    number = room_numbers(store, list_rooms(store))[room]
    return number, device(store, instance=None, objects=f"with {room}").revision


def note(store: Store) -> int:
    with store.write() as connection:
        record(connection, actor="me", action="a", target="t")
        return audit_head(connection)


def later(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Time goes by."""
    now_ns = time.time_ns() + round(seconds * 1e9)
    monkeypatch.setattr("service.store.backup.load.time.time_ns", lambda: now_ns)


def test_in_place_no_revision_is_told_twice(store: Store, url: str, tmp_path: Path) -> None:
    serve(store, "lab")
    file = saved(store, tmp_path)
    told = list[tuple[int, int]]()
    for room in ("hall", "kitchen"):
        put_back(url, tmp_path, file)
        told.append(serve(store, room))
    first, second = told
    assert all(new > old + NUMBERS_APART["bacnet_rooms"] for new, old in zip(second, first, strict=True))


def test_a_device_that_the_archive_does_not_know_goes_on(store: Store, url: str, tmp_path: Path) -> None:
    file = saved(store, tmp_path)
    before = device(store, instance=None, objects="of a room")
    put_back(url, tmp_path, file)
    after = known_device(store)
    assert after is not None
    assert after == Device(before.instance, after.revision, before.objects)
    assert after.revision > before.revision


def test_on_empty_machines_no_number_is_given_twice(
    store: Store, empty_url: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(store, 3)
    serve(store, "lab")
    file = saved(store, tmp_path)
    first = restored(empty_url(), tmp_path, file)
    heard, audited, (number, revision) = fill(first, 200), note(first), serve(first, "hall")
    later(monkeypatch, 2)
    second = restored(empty_url(), tmp_path, file)
    assert not any(read_events(second, after=one, limit=1).complete for one in heard), "a stream gets a reset"
    fill(second, 1)
    assert read_head(second) > read_head(first)
    assert note(second) > audited
    later_number, later_revision = serve(second, "kitchen")
    assert later_number > number
    assert later_revision > revision
    for one in (first, second):
        one.close()


def test_the_time_since_the_backup_counts() -> None:
    day = 86_400 * S
    for table in ("events", "audit"):
        assert apart(table, day) - apart(table, day - 1) == 1
    assert revisions_apart(day) - revisions_apart(day - S) == 1
    assert apart("versions", day) == 0, "nobody outside knows those"


def test_numbers_of_rooms_last_for_hundreds_of_restores() -> None:
    most = max(apart("bacnet_rooms", age_s * S) for age_s in range(3 * ROOMS_SPREAD))
    assert MAX_INSTANCE // most >= 380
    assert apart("bacnet_rooms", 5 * S) != apart("bacnet_rooms", 6 * S)


def test_an_archive_without_a_time_is_damaged(store: Store, empty_url: Make, tmp_path: Path) -> None:
    file = saved(store, tmp_path)
    _rewrite(file, lambda manifest: {**manifest, "made_at": "lately"})
    with pytest.raises(BackupError, match="lately"):
        restore_backup(empty_url(), tmp_path / "place", file, replace=False)


def test_a_clock_behind_the_archive_still_tells_restores_apart(
    store: Store, empty_url: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = saved(store, tmp_path)
    heads = set[int]()
    for seconds in (-5000, -10):
        later(monkeypatch, seconds)
        new = restored(empty_url(), tmp_path, file)
        heads.add(fill(new, 1)[0])
        new.close()
    assert len(heads) == 2
