"""Numbers given out after a backup, and known to others, mean nothing else after its restore."""

from collections.abc import Callable
from pathlib import Path

from service.store.audit import audit_head, record
from service.store.backup.apart import NUMBERS_APART
from service.store.backup.load import restore_backup
from service.store.backup.write import write_backup
from service.store.bacnet import device, room_numbers
from service.store.engine import Store, open_store
from service.store.eventlog import read_events, read_head
from service.store.rooms import list_rooms
from tests.store.filled import put
from tests.store.test_log import fill

Make = Callable[..., str]


def saved(store: Store, folder: Path, name: str = "b.tar.gz") -> Path:
    (folder / "beside").mkdir(exist_ok=True)
    write_backup(store, folder / "beside", folder / name)
    return folder / name


def restored(url: str, folder: Path, file: Path) -> Store:
    restore_backup(url, folder / f"data-{file.name}", file, replace=False)
    return open_store(url)


def test_who_comes_from_after_the_backup_is_told_so_for_good(
    store: Store, empty_url: Make, tmp_path: Path
) -> None:
    head = fill(store, 4)[-1]
    file = saved(store, tmp_path)
    lost = fill(store, 3)
    new = restored(empty_url(), tmp_path, file)
    assert read_events(new, after=head, limit=9).complete
    for more in (0, 1, 2):
        fill(new, more)
        assert not any(read_events(new, after=number, limit=9).complete for number in lost)
        assert not read_events(new, after=head + NUMBERS_APART["events"], limit=9).complete
        assert read_events(new, after=head, limit=9).complete, "this one had all of the backup"
        assert read_events(new, after=read_head(new), limit=9).complete
    new.close()


def test_every_restore_is_remembered(store: Store, empty_url: Make, tmp_path: Path) -> None:
    fill(store, 1)
    file = saved(store, tmp_path)
    (first,) = fill(store, 1)
    once = restored(empty_url(), tmp_path, file)
    fill(once, 1)
    again = saved(once, tmp_path, "again.tar.gz")
    (second,) = fill(once, 1)
    twice = restored(empty_url(), tmp_path, again)
    fill(twice, 1)
    assert [read_events(twice, after=at, limit=9).complete for at in (first, second)] == [False, False]
    once.close()
    twice.close()


def test_numbers_of_the_store_in_place_are_left_out_too(store: Store, url: str, tmp_path: Path) -> None:
    fill(store, 1)
    file = saved(store, tmp_path)
    lost = fill(store, 3)
    restore_backup(url, tmp_path / "beside", file, replace=True)
    fill(store, 1)
    assert not any(read_events(store, after=number, limit=9).complete for number in lost)
    assert read_head(store) > lost[-1] + NUMBERS_APART["events"]


def test_a_room_made_after_the_backup_keeps_its_bacnet_number(
    store: Store, empty_url: Make, tmp_path: Path
) -> None:
    def serve(where: Store, *names: str) -> tuple[dict[str, int], int]:
        for name in names:
            put(where, name)
        told = device(where, instance=None, objects=",".join(one.room for one in list_rooms(where)))
        return room_numbers(where, list_rooms(where)), told.revision

    before, _ = serve(store, "lab", "den")
    file = saved(store, tmp_path)
    known, revision = serve(store, "vault")
    new = restored(empty_url(), tmp_path, file)
    assert room_numbers(new, list_rooms(new)) == before
    numbers, later = serve(new, "canteen")
    assert numbers["canteen"] not in known.values()
    assert later > revision, "of other objects"
    new.close()


def test_an_audit_entry_after_the_backup_keeps_its_id(store: Store, empty_url: Make, tmp_path: Path) -> None:
    def note(where: Store) -> int:
        with where.write() as connection:
            record(connection, actor="me", action="a", target="t")
            return audit_head(connection)

    note(store)
    file = saved(store, tmp_path)
    lost = note(store)
    new = restored(empty_url(), tmp_path, file)
    assert note(new) > lost
    new.close()
