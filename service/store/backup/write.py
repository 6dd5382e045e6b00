"""Writing an archive of a running site: all rows of one moment, then the files beside the store."""

import hashlib
import io
import os
import tarfile
import time
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import msgspec
import sqlalchemy as sa

from service.state import rfc3339
from service.store.backup.counters import read_counters
from service.store.backup.manifest import FILES, FOLDERS, FORMAT, NAME, BackupError, Manifest
from service.store.engine import Store
from service.store.migrate import applied
from service.store.schema import metadata

Told = Callable[[int, int], None]
"""Called with the rows written so far, and all there are."""
_CHUNK_BYTES: Final = 4 * 1024 * 1024
_ROWS_AT_ONCE: Final = 200


def write_backup(store: Store, data_dir: Path, file: Path, told: Told = lambda *_: None) -> Manifest:
    """Write an archive; the service may run meanwhile, and what it writes then is not in it.

    Raises:
        BackupError: the file is there already, or cannot be written.
    """
    if file.exists():
        raise BackupError(f"{file} is there already and is not overwritten; take another name")
    aside = file.with_name(f"{file.name}.part")
    try:
        handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            with (
                os.fdopen(handle, "wb") as raw,
                tarfile.open(fileobj=raw, mode="w:gz", compresslevel=5) as archive,
            ):
                manifest = _Writer(archive).write(store, data_dir, told)
            os.link(aside, file)  # fails where somebody else made it meanwhile
        finally:
            aside.unlink(missing_ok=True)
    except OSError as error:
        raise BackupError(f"cannot write {file}: {error.strerror or error}") from error
    return manifest


class _Writer:
    def __init__(self, archive: tarfile.TarFile) -> None:
        self._archive = archive
        self._digests = dict[str, str]()

    def write(self, store: Store, data_dir: Path, told: Told) -> Manifest:
        with store.read() as connection:
            total = sum(_count(connection, table) for table in metadata.sorted_tables)
            rows = dict[str, int]()
            for table in metadata.sorted_tables:
                rows[table.name] = self._table(connection, table, sum(rows.values()), total, told)
            steps, counters = applied(connection), read_counters(connection)
        for path in _files(data_dir):
            self._add(f"files/{path.relative_to(data_dir).as_posix()}", path.read_bytes())
        manifest = Manifest(
            format=FORMAT,
            version=version("roomtone"),
            made_at=rfc3339(time.time_ns()),
            database=store.engine.dialect.name,
            steps=steps,
            rows=rows,
            counters=counters,
            digests=self._digests,
        )
        self._add(NAME, msgspec.json.format(msgspec.json.encode(manifest)))
        return manifest

    def _table(self, connection: sa.Connection, table: sa.Table, before: int, total: int, told: Told) -> int:
        count = 0
        for number, (chunk, lines) in enumerate(_chunks(connection, table)):
            self._add(f"tables/{table.name}/{number:06}.jsonl", chunk)
            count += lines
            told(before + count, total)
        return count

    def _add(self, name: str, content: bytes) -> None:
        info = tarfile.TarInfo(name)
        info.size, info.mode, info.mtime = len(content), 0o600, int(time.time())
        self._archive.addfile(info, io.BytesIO(content))
        if name != NAME:
            self._digests[name] = hashlib.sha256(content).hexdigest()


def _count(connection: sa.Connection, table: sa.Table) -> int:
    return int(connection.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())


def _chunks(connection: sa.Connection, table: sa.Table) -> Iterator[tuple[bytes, int]]:
    """Rows as lines, some megabytes at a time."""
    query = sa.select(table).order_by(*table.primary_key)
    found = connection.execution_options(yield_per=_ROWS_AT_ONCE).execute(query)
    lines, size = list[bytes](), 0
    for row in found.mappings():
        document: dict[str, Any] = dict(row)
        lines.append(msgspec.json.encode(document))
        size += len(lines[-1]) + 1
        if size >= _CHUNK_BYTES:
            yield b"\n".join(lines) + b"\n", len(lines)
            lines, size = [], 0
    if lines:
        yield b"\n".join(lines) + b"\n", len(lines)


def _files(data_dir: Path) -> list[Path]:
    found = [data_dir / name for name in FILES]
    for folder in FOLDERS:
        found += sorted((data_dir / folder).rglob("*"))
    return [path for path in found if path.is_file() and not path.is_symlink()]
