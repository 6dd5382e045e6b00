"""Restoring an archive: the whole store in one transaction, then the files, then today's tables."""

import base64
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa

from service.state import unix_ns
from service.store import postgresql
from service.store.backup.apart import apart, revisions_apart
from service.store.backup.counters import read_counters, set_counter
from service.store.backup.manifest import FILES, FOLDERS, BackupError, Manifest, file_of, table_of
from service.store.backup.read import check_archive, members
from service.store.bacnet import Device, leave_revisions_out, select_device
from service.store.engine import connect_store
from service.store.eventlog import leave_out
from service.store.migrate import APPLIED
from service.store.migrations import MIGRATIONS
from service.store.schema import metadata, site

Told = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class _Given:
    """What the store in place has given out by table, and as which BACnet device it was known."""

    numbers: dict[str, int]
    device: Device | None


def restore_backup(
    url: str, data_dir: Path, file: Path, *, replace: bool, told: Told = lambda *_: None
) -> Manifest:
    """Make the store and the files beside it what they were; the service must not run.

    Raises:
        BackupError: the archive is no good, or there is something to lose and `replace` is not set.
        StoreError: the store cannot be opened.
    """
    manifest = check_archive(file)
    store = connect_store(url)
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside = Path(tempfile.mkdtemp(prefix=".restore-", dir=data_dir))
    try:
        with store.write() as connection:
            if not replace and (there := _worth_keeping(connection) or _files_there(data_dir)):
                raise BackupError(
                    f"there is something already ({there}); --replace puts the backup in its place"
                )
            _restore_rows(connection, manifest, file, aside, told)
        _swap_files(aside, data_dir)
    finally:
        store.close()
        shutil.rmtree(aside, ignore_errors=True)
    return manifest


def _worth_keeping(connection: sa.Connection) -> str | None:
    """What of a site is in the store, in words; None for an empty one."""
    for name in ("rooms", "links", "keys", "samples", "events"):
        if sa.inspect(connection).has_table(name):
            count = connection.execute(sa.select(sa.func.count()).select_from(sa.table(name))).scalar_one()
            if count:
                return f"{name}: {count}"
    return None


def _files_there(data_dir: Path) -> str | None:
    found = [name for name in (*FOLDERS, *FILES) if (data_dir / name).exists()]
    return f"{data_dir / found[0]}" if found else None


def _restore_rows(connection: sa.Connection, manifest: Manifest, file: Path, aside: Path, told: Told) -> None:
    given, age_ms = _given(connection), _age_ms(manifest)
    _make_tables(connection, manifest)
    tables = sa.MetaData()
    tables.reflect(connection)
    total, done = sum(manifest.rows.values()), 0
    for name, content in members(file):
        path, table = file_of(name), table_of(name)
        if path is not None:
            _write(aside / path, content)
        elif table is not None:
            done += _insert(connection, tables.tables[table], content.splitlines())
            told(done, total)
    _go_on_apart(connection, manifest, given, age_ms)
    if connection.dialect.name == "postgresql":
        postgresql.order_bytewise(connection, metadata)


def _go_on_apart(connection: sa.Connection, manifest: Manifest, given: _Given, age_ms: int) -> None:
    """Have every table count on above the archive's numbers and those of the store that was in place."""
    for name in manifest.counters.keys() & manifest.rows.keys():
        counted = manifest.counters[name]
        number = max(counted, given.numbers.get(name, 0)) + apart(name, age_ms)
        set_counter(connection, name, number)
        if name == "events":
            leave_out(connection, counted, number)
    leave_revisions_out(connection, given.device, revisions_apart(age_ms))


def _given(connection: sa.Connection) -> _Given:
    """What the store in place has given out is not used again."""
    known = set(sa.inspect(connection).get_table_names())
    numbers = read_counters(connection) if set(metadata.tables) <= known else {}
    return _Given(numbers, select_device(connection) if site.name in known else None)


def _age_ms(manifest: Manifest) -> int:
    """How long ago the archive was made; on a machine whose clock is behind, how far it is."""
    try:
        return abs(time.time_ns() - unix_ns(manifest.made_at)) // 1_000_000
    except ValueError as error:
        raise BackupError(f"the archive is damaged: made at {error}; nothing was restored") from error


def _make_tables(connection: sa.Connection, manifest: Manifest) -> None:
    """The tables as they were when the archive was written, without rows."""
    APPLIED.drop(connection, checkfirst=True)
    metadata.drop_all(connection)
    APPLIED.create(connection)
    for step in MIGRATIONS:
        if step.number in manifest.steps:
            step.upgrade(connection)
            row = {"number": step.number, "name": step.name, "applied_ns": time.time_ns()}
            connection.execute(sa.insert(APPLIED).values(row))
    made = set(sa.inspect(connection).get_table_names())
    for table in metadata.sorted_tables:
        if table.name in made:
            connection.execute(sa.delete(table))  # what a step wrote for sites that begin


def _insert(connection: sa.Connection, table: sa.Table, lines: Sequence[bytes]) -> int:
    rows = [_row(table, msgspec.json.decode(line)) for line in lines]
    for start in range(0, len(rows), 500):
        connection.execute(sa.insert(table), rows[start : start + 500])
    return len(rows)


def _row(table: sa.Table, document: dict[str, Any]) -> dict[str, Any]:
    """A line as the table takes it: bytes from base64, and nothing told from JSON's null."""
    for column in table.columns:
        value = document[column.name]
        if value is not None and isinstance(column.type, sa.LargeBinary):
            document[column.name] = base64.b64decode(value)
        elif value is None and isinstance(column.type, sa.JSON) and not column.nullable:
            document[column.name] = sa.JSON.NULL
    return document


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(content)


def _swap_files(aside: Path, data_dir: Path) -> None:
    """Put the archive's files in place of those that are there."""
    for name in (*FOLDERS, *FILES):
        target = data_dir / name
        if target.is_dir():
            shutil.rmtree(target)
        target.unlink(missing_ok=True)
        if (aside / name).exists():
            (aside / name).rename(target)
