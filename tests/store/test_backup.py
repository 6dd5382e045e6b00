"""Backup and restore: everything, of one moment, into either database; what is no good changes nothing."""

import gzip
import io
import tarfile
import threading
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa

from service.store.backup.apart import NUMBERS_APART
from service.store.backup.load import restore_backup
from service.store.backup.manifest import BackupError
from service.store.backup.write import write_backup
from service.store.engine import Store, open_store
from service.store.eventlog import LEFT_OUT, forget, read_events, read_head, site_id
from service.store.migrate import migrate
from service.store.migrations import MIGRATIONS, Migration
from service.store.schema import events
from tests.store.conftest import DATABASES
from tests.store.filled import put, turn, write
from tests.store.rows import fill_tables, rows_of
from tests.store.test_log import append, fill

Make = Callable[..., str]
FILES = {"models/own/card.toml": b"x", "curve/server.key": b"{}", "webhooks.key": b"\x00\xff"}


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """What lies beside a store."""
    folder = tmp_path / "site"
    for name, content in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    (folder / "bus").mkdir()
    (folder / "bus" / "worker.lock").write_text("1")
    return folder


@pytest.mark.parametrize("target", DATABASES)
def test_a_backup_restores_into_either_database(
    store: Store, data_dir: Path, empty_url: Make, target: str, tmp_path: Path
) -> None:
    fill_tables(store)
    before, name = rows_of(store), site_id(store)
    before = rows_of(store)
    manifest = write_backup(store, data_dir, tmp_path / "b.tar.gz")
    assert manifest.rows == {table: len(rows) for table, rows in before.items()}
    url, place = empty_url(target), tmp_path / "restored"
    restore_backup(url, place, tmp_path / "b.tar.gz", replace=False)
    restored = open_store(url)
    after = rows_of(restored)
    after["site"] = [row for row in after["site"] if row["key"] != LEFT_OUT]
    assert after == before
    assert site_id(restored) == name
    files = {str(path.relative_to(place)): path.read_bytes() for path in place.rglob("*") if path.is_file()}
    kept = {name: content for name, content in files.items() if "sqlite3" not in name}
    assert kept == FILES
    head = read_head(restored)
    with restored.write() as connection:
        assert append(connection) > head + NUMBERS_APART["events"], "others may know those"
    restored.close()


def test_a_backup_is_of_one_moment_while_the_site_writes(
    store: Store, data_dir: Path, empty_url: Make, tmp_path: Path
) -> None:
    put(store, "lab")
    over = threading.Event()

    def work() -> None:
        second = 0
        while not over.is_set():
            second += 1
            write(store, turn("lab", second))

    worker = threading.Thread(target=work)
    worker.start()
    try:
        while read_head(store) < 20:
            pass
        write_backup(store, data_dir, tmp_path / "b.tar.gz")
    finally:
        over.set()
        worker.join()
    url = empty_url()
    restore_backup(url, tmp_path / "restored", tmp_path / "b.tar.gz", replace=False)
    restored = open_store(url)
    rows = rows_of(restored)
    assert len(rows["predictions"]) == len(rows["events"]) - 1, "a turn is there whole or not at all"
    assert rows["states"][0]["sequence"] == max(row["sequence"] for row in rows["events"])
    restored.close()


def test_what_retention_took_stays_known(
    store: Store, data_dir: Path, empty_url: Make, tmp_path: Path
) -> None:
    numbers = fill(store, 4)
    with store.write() as connection:
        forget(connection, numbers[-1])
    write_backup(store, data_dir, tmp_path / "b.tar.gz")
    url = empty_url()
    restore_backup(url, tmp_path / "restored", tmp_path / "b.tar.gz", replace=False)
    restored = open_store(url)
    assert read_head(restored) == numbers[-1]
    assert not read_events(restored, after=0, limit=5).complete
    restored.close()


def test_a_site_is_replaced_only_when_asked_to(
    store: Store, url: str, data_dir: Path, tmp_path: Path
) -> None:
    put(store, "lab")
    file = tmp_path / "b.tar.gz"
    write_backup(store, data_dir, file)
    put(store, "hall")
    (data_dir / "curve" / "late.key").write_bytes(b"made after the backup")
    with pytest.raises(BackupError, match=r"rooms: 2.*--replace"):
        restore_backup(url, data_dir, file, replace=False)
    assert len(rows_of(store)["rooms"]) == 2
    restore_backup(url, data_dir, file, replace=True)
    assert [row["room"] for row in rows_of(store)["rooms"]] == ["lab"]
    assert sorted(path.name for path in (data_dir / "curve").iterdir()) == ["server.key"]


def test_an_archive_is_never_written_over(store: Store, data_dir: Path, tmp_path: Path) -> None:
    file = tmp_path / "b.tar.gz"
    file.write_bytes(b"precious")
    with pytest.raises(BackupError, match="not overwritten"):
        write_backup(store, data_dir, file)
    assert file.read_bytes() == b"precious"
    with pytest.raises(BackupError, match="cannot write"):
        write_backup(store, data_dir, tmp_path / "nowhere" / "b.tar.gz")


def test_an_archive_of_an_older_version_is_brought_forward(
    data_dir: Path, empty_url: Make, tmp_path: Path
) -> None:
    old = open_store(empty_url())
    put(old, "lab")
    file = tmp_path / "b.tar.gz"
    write_backup(old, data_dir, file)
    old.close()
    older = {number: name for number, name in _manifest(file)["steps"].items() if int(number) <= 3}
    new = {"alert_rules", "alert_waits", "screenings", "outlet_cursors", "webhooks", "bacnet_rooms"}
    new |= {"answers", "pauses", "erasures"}
    _rewrite(file, lambda manifest: manifest | {"steps": older}, without=new)
    url = empty_url()
    restore_backup(url, tmp_path / "restored", file, replace=False)
    restored = open_store(url)
    assert [row["room"] for row in rows_of(restored)["rooms"]] == ["lab"]
    assert rows_of(restored)["alert_rules"], "what the newer step writes for every site"
    restored.close()


@pytest.mark.parametrize(
    ("harm", "complaint"),
    [
        ("nothing there", "no file"),
        ("another file", "no backup of Roomtone"),
        ("cut", "no backup of Roomtone, or damaged|cut short"),
        ("changed row", "is not what was written"),
        ("lost member", "is not what was written"),
        ("newer", "newer than this one"),
        ("path trick", "no place in an archive"),
        ("stranger", "not a part of a backup"),
    ],
)
def test_a_bad_archive_changes_nothing(data_dir: Path, tmp_path: Path, harm: str, complaint: str) -> None:
    url = f"sqlite:///{tmp_path / 'store.sqlite3'}"
    store, file = open_store(url), tmp_path / "b.tar.gz"
    put(store, "lab")
    write_backup(store, data_dir, file)
    put(store, "hall")
    before = rows_of(store)
    _harm(file, harm)
    with pytest.raises(BackupError, match=complaint):
        restore_backup(url, data_dir, file, replace=True)
    assert rows_of(store) == before
    assert (data_dir / "curve" / "server.key").read_bytes() == b"{}"
    assert not list(data_dir.glob(".restore-*"))
    store.close()


def test_a_restore_that_fails_half_way_leaves_the_old_site(
    store: Store, url: str, data_dir: Path, tmp_path: Path
) -> None:
    put(store, "lab")
    file = tmp_path / "b.tar.gz"
    write_backup(store, data_dir, file)
    put(store, "hall")

    def fail(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        restore_backup(url, data_dir, file, replace=True, told=fail)
    assert len(rows_of(store)["rooms"]) == 2
    with store.read() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(events)).scalar_one() == 2


def test_a_store_of_a_newer_version_can_be_replaced(
    store: Store, url: str, data_dir: Path, tmp_path: Path
) -> None:
    put(store, "lab")
    write_backup(store, data_dir, tmp_path / "b.tar.gz")
    newer = [*MIGRATIONS, Migration(len(MIGRATIONS) + 1, "from_the_future", lambda _: None)]
    migrate(store.engine, store.writer, newer)
    restore_backup(url, data_dir, tmp_path / "b.tar.gz", replace=True)
    open_store(url).close()


def _members(file: Path) -> dict[str, bytes]:
    with tarfile.open(file) as archive:
        found = {one.name: archive.extractfile(one) for one in archive}
        return {name: content.read() for name, content in found.items() if content is not None}


def _manifest(file: Path) -> dict[str, Any]:
    return dict(msgspec.json.decode(_members(file)["manifest.json"]))


def _write(file: Path, members: dict[str, bytes]) -> None:
    with tarfile.open(file, "w:gz") as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))


def _rewrite(
    file: Path, change: Callable[[dict[str, Any]], dict[str, Any]], without: Collection[str] = ()
) -> None:
    """The archive with another manifest, and without some tables."""
    found = _members(file)
    members = {name: found[name] for name in found if not any(f"/{table}/" in name for table in without)}
    manifest = change(_manifest(file))
    manifest["digests"] = {name: digest for name, digest in manifest["digests"].items() if name in members}
    manifest["rows"] = {name: count for name, count in manifest["rows"].items() if name not in without}
    _write(file, members | {"manifest.json": msgspec.json.encode(manifest)})


def _harm(file: Path, harm: str) -> None:
    members = _members(file)
    match harm:
        case "nothing there":
            file.unlink()
        case "another file":
            file.write_bytes(gzip.compress(b"hello" * 100))
        case "cut":
            file.write_bytes(file.read_bytes()[:-200])
        case "changed row":
            name = next(name for name in members if name.startswith("tables/rooms/"))
            _write(file, members | {name: members[name].replace(b"lab", b"bad")})
        case "lost member":
            del members[next(name for name in members if name.startswith("tables/rooms/"))]
            _write(file, members)
        case "newer":
            _rewrite(
                file, lambda manifest: manifest | {"steps": {**manifest["steps"], "99": "from_the_future"}}
            )
        case "path trick":
            _write(file, {"files/models/../../evil": b"x"} | members)
        case "stranger":
            _write(file, {"readme.txt": b"x"} | members)
