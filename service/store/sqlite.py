"""SQLite as the store: one file, readers never wait for the writer (WAL), writers queue up."""

import sqlite3
import time
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from service.errors import StoreError

BUSY_TIMEOUT_S = 5.0
_IDLE_KEPT = 48
"""Connections, more than a process has threads: one costs little, making one anew in every request much."""


def sqlite_engine(url: sa.URL, options: dict[str, Any]) -> sa.Engine:
    """The engine of a SQLite file; its folder is made.

    Raises:
        StoreError: the URL names no file.
    """
    if not url.database or url.database == ":memory:":
        raise StoreError(f"the store {url} has no file; several processes share it, so name one")
    Path(url.database).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    engine = sa.create_engine(
        url, connect_args={"timeout": BUSY_TIMEOUT_S}, pool_size=_IDLE_KEPT, max_overflow=0, **options
    )
    sa.event.listen(engine, "connect", _prepare)
    sa.event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: sqlite3.Connection, record: object) -> None:
    """Set up a new connection: transactions are begun by us, not guessed by the driver."""
    del record
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("PRAGMA secure_delete = ON")  # what is erased is overwritten in the file
    _switch_to_wal(connection)


def empty_log(engine: sa.Engine, within_s: float) -> bool:
    """Bring the write-ahead log into the file and empty it, so that erased bytes are in neither.

    Readers are waited for `within_s`; meanwhile no writer gets in. False while somebody reads an older moment
    of the store: nothing empties the log until it is tried again.
    """
    raw = engine.raw_connection()
    cursor = raw.cursor()
    try:
        cursor.execute(f"PRAGMA busy_timeout = {round(within_s * 1000)}")
        busy, *_ = cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.OperationalError:  # another writer keeps the file for long
        return False
    finally:
        cursor.execute(f"PRAGMA busy_timeout = {round(BUSY_TIMEOUT_S * 1000)}")
        raw.close()
    return not busy


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


def _begin(connection: sa.Connection) -> None:
    """Take the write lock at once where we will write, so that no transaction fails half way."""
    write = connection.get_execution_options().get("roomtone_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")
