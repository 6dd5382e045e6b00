"""Opening the store: one database for a site, brought to this code's tables on opening.

Readers see one unchanging moment and never wait for a writer; one writes at a time. Who waits for longer than
the busy timeout, or whose database is gone, gets an `OperationalError`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import sqlalchemy as sa

from service.errors import StoreError
from service.store import postgresql
from service.store.migrate import migrate
from service.store.migrations import MIGRATIONS
from service.store.schema import metadata
from service.store.sqlite import empty_log, sqlite_engine

Wait = Callable[[sa.exc.OperationalError], bool]
"""Waits a while after the store could not be had; whether to try again."""


class Store:
    """A database with today's tables. Safe to use from several threads; several processes may open it.

    Args:
        engine: of the database.
        wait: what to do when no transaction can be begun; by default the error is the caller's.
    """

    def __init__(self, engine: sa.Engine, wait: Wait = lambda _: False) -> None:
        self.engine = engine
        self._wait = wait
        shared = engine.dialect.name == "postgresql"
        self.writer = postgresql.writing(engine) if shared else engine.execution_options(roomtone_write=True)

    def patient(self, wait: Wait) -> "Store":
        """The same store for a part that rather waits for its database than fails."""
        return Store(self.engine, wait)

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A connection that sees one unchanging moment of the store.

        Raises:
            sqlalchemy.exc.OperationalError: the database does not answer.
        """
        connection, transaction = self._begin(self.engine)
        with connection, transaction:
            yield connection

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A connection in a write transaction: committed at the end, rolled back by any exception.

        Raises:
            sqlalchemy.exc.OperationalError: another writer kept the store for longer than the busy timeout,
                or the database is gone. Where it broke at the end, it may be committed or not.
        """
        connection, transaction = self._begin(self.writer)
        with connection, transaction:
            yield connection

    def _begin(self, engine: sa.Engine) -> tuple[sa.Connection, sa.RootTransaction]:
        while True:
            try:
                connection = engine.connect()
                try:
                    return connection, connection.begin()
                except BaseException:
                    connection.close()
                    raise
            except sa.exc.OperationalError as error:
                if not self._wait(error):
                    raise

    def scrub(self, within_s: float = 0.5) -> bool:
        """See that bytes erased before are in no file any more.

        Readers are waited for `within_s`, and writers wait with us. False while somebody reads an older
        moment, and where that is left to the database.
        """
        return self.engine.dialect.name == "sqlite" and empty_log(self.engine, within_s)

    def close(self) -> None:
        """Give all connections back to the system."""
        self.engine.dispose()


def open_store(url: str) -> Store:
    """The store at this SQLAlchemy URL, with every migration applied; a SQLite file is made if need be.

    Raises:
        StoreError: unreachable, not a database of ours, or written by a newer Roomtone.
    """
    with _errors_named(url):
        store = Store(_engine(sa.make_url(url)))
        with _closed_on_error(store):
            changed = migrate(store.engine, store.writer, MIGRATIONS)
            if changed and store.engine.dialect.name == "postgresql":
                with store.write() as connection:
                    postgresql.order_bytewise(connection, metadata)
    return store


def connect_store(url: str) -> Store:
    """The store at this URL as it is, whatever tables it has: for who replaces all of it.

    Raises:
        StoreError: unreachable, or not a database.
    """
    with _errors_named(url):
        store = Store(_engine(sa.make_url(url)))
        with _closed_on_error(store), store.read() as connection:
            sa.inspect(connection).get_table_names()
    return store


@contextmanager
def _errors_named(url: str) -> Iterator[None]:
    try:
        yield
    except (sa.exc.SQLAlchemyError, ImportError, OSError) as error:
        cause = str(getattr(error, "orig", None) or error).strip()
        raise StoreError(
            f"cannot open the store {_public(url)}: {cause}; "
            "check that the address is right, and that it is writable and no other program's"
        ) from error


@contextmanager
def _closed_on_error(store: Store) -> Iterator[None]:
    try:
        yield
    except BaseException:
        store.close()
        raise


def _public(url: str) -> str:
    """The URL without its password, for people and logs."""
    try:
        return sa.make_url(url).render_as_string(hide_password=True)
    except sa.exc.ArgumentError:
        return "(not a database URL)"


def _engine(url: sa.URL) -> sa.Engine:
    options: dict[str, Any] = {"json_serializer": _to_json, "json_deserializer": msgspec.json.decode}
    if postgresql.is_postgresql(url):
        return postgresql.postgresql_engine(url, options)
    if url.get_backend_name() == "sqlite":
        return sqlite_engine(url, options)
    raise StoreError(
        f"no store of the kind {url.get_backend_name()!r}: write sqlite:///FILE, or "
        "postgresql://USER:PASSWORD@HOST/DATABASE"
    )


def _to_json(value: object) -> str:
    """JSON text; NaN and infinity, which JSON has no word for, become null."""
    return msgspec.json.encode(value).decode()
