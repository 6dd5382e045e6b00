"""Opening the store: one database for a site, brought to this code's tables on opening.

The only file that knows which database it is. Readers never wait for the writer (WAL); writers queue up for
`BUSY_TIMEOUT_S` and then fail with an error of the database.
"""

import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
import sqlalchemy as sa

from service.errors import StoreError
from service.store.migrations import MIGRATIONS, Migration

BUSY_TIMEOUT_S = 5.0
_applied = sa.Table(
    "schema_migrations",
    sa.MetaData(),
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("applied_ns", sa.BigInteger, nullable=False),
)


class Store:
    """A database with today's tables. Safe to use from several threads; several processes may open it."""

    def __init__(self, engine: sa.Engine) -> None:
        self.engine = engine
        self._writer = engine.execution_options(roomtone_write=True)

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A connection that sees one unchanging moment of the store."""
        with self.engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A connection in a write transaction: committed at the end, rolled back by any exception.

        Raises:
            sqlalchemy.exc.OperationalError: another writer kept the store for longer than the busy timeout.
        """
        with self._writer.begin() as connection:
            yield connection

    def close(self) -> None:
        """Give all connections back to the system."""
        self.engine.dispose()


def open_store(url: str) -> Store:
    """The store at this SQLAlchemy URL, created if it is not there, with every migration applied.

    Raises:
        StoreError: unreachable, not a database of ours, or written by a newer Roomtone.
    """
    try:
        engine = _engine(sa.make_url(url))
        _migrate(engine, MIGRATIONS)
    except (sa.exc.SQLAlchemyError, ImportError, OSError) as error:
        cause = getattr(error, "orig", None) or error
        raise StoreError(
            f"cannot open the store {_public(url)}: {cause}; "
            "check that the path is right, writable and not another file"
        ) from error
    return Store(engine)


def _public(url: str) -> str:
    """The URL without its password, for people and logs."""
    try:
        return sa.make_url(url).render_as_string(hide_password=True)
    except sa.exc.ArgumentError:
        return "(not a database URL)"


def _engine(url: sa.URL) -> sa.Engine:
    options: dict[str, Any] = {"json_serializer": _to_json, "json_deserializer": msgspec.json.decode}
    if url.get_backend_name() != "sqlite":
        return sa.create_engine(url, **options)
    if not url.database or url.database == ":memory:":
        raise StoreError(f"the store {url} has no file; several processes share it, so name one")
    Path(url.database).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    engine = sa.create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_S}, **options)
    sa.event.listen(engine, "connect", _prepare_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _to_json(value: object) -> str:
    """JSON text; NaN and infinity, which JSON has no word for, become null."""
    return msgspec.json.encode(value).decode()


def _prepare_sqlite(connection: sqlite3.Connection, record: object) -> None:
    """Set up a new connection: transactions are begun by us, not guessed by the driver."""
    del record
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = NORMAL")
    _switch_to_wal(connection)


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    """Write-ahead log; SQLite's own busy timeout does not cover this switch, so wait here."""
    deadline = time.monotonic() + BUSY_TIMEOUT_S
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
        else:
            return


def _begin_sqlite(connection: sa.Connection) -> None:
    """Take the write lock at once where we will write, so that no transaction fails half way."""
    write = connection.get_execution_options().get("roomtone_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _migrate(engine: sa.Engine, steps: Sequence[Migration]) -> None:
    """Apply what is missing, each step in one transaction with the record that it was applied."""
    writer = engine.execution_options(roomtone_write=True)
    with engine.connect() as connection:
        done = _done(connection)
    if not _missing(done, steps):
        return
    with writer.begin() as connection:
        _applied.create(connection, checkfirst=True)
    for step in steps:
        with writer.begin() as connection:
            # Looked up again under the write lock: another process may have been first.
            if step not in _missing(_done(connection), steps):
                continue
            step.upgrade(connection)
            row = {"number": step.number, "name": step.name, "applied_ns": time.time_ns()}
            connection.execute(sa.insert(_applied).values(row))


def _done(connection: sa.Connection) -> dict[int, str]:
    if not sa.inspect(connection).has_table(_applied.name):
        return {}
    rows = connection.execute(sa.select(_applied.c.number, _applied.c.name))
    return {row.number: row.name for row in rows}


def _missing(done: dict[int, str], steps: Sequence[Migration]) -> list[Migration]:
    """Steps not applied yet, in order.

    Raises:
        StoreError: a step was applied that this code does not know.
    """
    known = {step.number: step.name for step in steps}
    if foreign := {number: name for number, name in done.items() if known.get(number) != name}:
        raise StoreError(
            f"the store has steps this Roomtone does not know ({foreign}); "
            "it was written by a newer version: install that version or restore an older backup"
        )
    return [step for step in steps if step.number not in done]
