"""PostgreSQL as the store: several machines share it, and it behaves as the one file does.

Writers queue up on an advisory lock that a write transaction takes first and that ends with it. So what reads
before it writes needs no locks of its own, and numbers of the event log become visible in their order: a
sequence alone would show number 8 before 7 is committed, and a reader that is past 8 would never see 7.
"""

from typing import Any, Final

import sqlalchemy as sa

BUSY_TIMEOUT_S: Final = 5
_STUCK_S: Final = 60
_CONNECT_S: Final = 5
_DEAD_PEER_S: Final = 15
_THREADS: Final = 40
"""Connections of one process at most: the API has as many threads."""
_IDLE_KEPT: Final = 5
# Two-part keys of advisory locks; they are apart in every database, so two sites there need two databases.
_CLASS: Final = 0x524D544E
_WRITER, _PART = 1, 1000
_DRIVER = "postgresql+psycopg"


def is_postgresql(url: sa.URL) -> bool:
    """Whether the URL is of PostgreSQL, whatever it says of a driver."""
    return url.get_backend_name() in {"postgresql", "postgres"}


def postgresql_engine(url: sa.URL, options: dict[str, Any]) -> sa.Engine:
    """The engine of a PostgreSQL database, which must be there already."""
    engine = sa.create_engine(
        url.set(drivername=_DRIVER),
        pool_pre_ping=True,  # a server that was restarted costs no request
        pool_size=_IDLE_KEPT,
        max_overflow=_THREADS - _IDLE_KEPT,
        connect_args={
            "connect_timeout": _CONNECT_S,
            "tcp_user_timeout": _DEAD_PEER_S * 1000,
            "keepalives_idle": _DEAD_PEER_S,
            "application_name": "roomtone",
        },
        isolation_level="REPEATABLE READ",
        **options,
    )
    sa.event.listen(engine, "connect", _prepare)
    sa.event.listen(engine, "begin", _begin)
    return engine


def writing(engine: sa.Engine) -> sa.Engine:
    """The engine for write transactions: each statement sees all that was committed before the lock."""
    return engine.execution_options(roomtone_write=True, isolation_level="READ COMMITTED")


def take_part(connection: sa.Connection, part: str) -> bool:
    """Make this connection's session the only one of a part of the site; False if another one is.

    The server frees the lock when the session ends, whatever ended it.
    """
    number = _PART + sum(part.encode())
    query = sa.select(sa.func.pg_try_advisory_lock(_CLASS, number))
    return bool(connection.execute(query).scalar())


def order_bytewise(connection: sa.Connection, tables: sa.MetaData) -> None:
    """Give text columns the order of bytes, which SQLite has: names come in one order on every database."""
    found = connection.execute(
        sa.text(
            "SELECT table_name, column_name FROM information_schema.columns "
            "WHERE table_schema = current_schema() AND data_type = 'text' "
            "AND collation_name IS DISTINCT FROM 'C'"
        )
    ).all()
    for table, column in found:
        if table in tables.tables:
            connection.exec_driver_sql(f'ALTER TABLE "{table}" ALTER COLUMN "{column}" TYPE text COLLATE "C"')


def _prepare(connection: Any, record: object) -> None:  # noqa: ANN401 - a psycopg connection
    """Nobody waits for a lock for ever, and a frozen process does not keep the writers' lock."""
    del record
    with connection.cursor() as cursor:
        cursor.execute(f"SET lock_timeout = '{BUSY_TIMEOUT_S}s'")
        cursor.execute(f"SET idle_in_transaction_session_timeout = '{_STUCK_S}s'")
        cursor.execute("SET timezone = 'UTC'")
    connection.commit()


def _begin(connection: sa.Connection) -> None:
    """Take the writers' lock at once where we will write."""
    if connection.get_execution_options().get("roomtone_write", False):
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_CLASS, _WRITER)))
