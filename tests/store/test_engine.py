"""The store: opening, migrating, sharing, refusing."""

import multiprocessing
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from service.errors import StoreError
from service.store.engine import Store, open_store
from service.store.migrate import migrate, missing
from service.store.migrations import MIGRATIONS, Migration
from service.store.schema import events, metadata, site


def append(store: Store, kind: str = "x") -> int:
    with store.write() as connection:
        result = connection.execute(sa.insert(events).values(time_ns=1, type=kind, data={}))
        assert result.inserted_primary_key is not None
        return int(result.inserted_primary_key[0])


def test_migrations_end_at_exactly_the_tables_of_the_schema(store: Store) -> None:
    inspector = sa.inspect(store.engine)
    found = set(inspector.get_table_names()) - {"schema_migrations", "sqlite_sequence"}
    assert found == set(metadata.tables)
    for name, table in metadata.tables.items():
        columns = {column["name"]: column for column in inspector.get_columns(name)}
        assert set(columns) == set(table.columns.keys())
        for column in table.columns:
            found_type = columns[column.name]["type"].compile(store.engine.dialect)
            assert found_type.split(" COLLATE ")[0] == column.type.compile(store.engine.dialect)
            assert columns[column.name]["nullable"] == column.nullable
        unique = {tuple(u["column_names"]) for u in inspector.get_unique_constraints(name)}
        assert unique == {
            tuple(c.columns.keys()) for c in table.constraints if isinstance(c, sa.UniqueConstraint)
        }
        indexes = {
            tuple(i["column_names"])
            for i in inspector.get_indexes(name)
            if "duplicates_constraint" not in i  # PostgreSQL holds a unique constraint by an index
        }
        assert indexes == {tuple(i.columns.keys()) for i in table.indexes}


def test_opening_twice_changes_nothing(url: str) -> None:
    first = open_store(url)
    append(first)
    first.close()
    second = open_store(url)
    with second.read() as connection:
        assert connection.execute(sa.select(sa.func.count()).select_from(events)).scalar_one() == 1
    second.close()


def test_sqlite_runs_with_write_ahead_log_and_foreign_keys(tmp_path: Path) -> None:
    store = open_store(f"sqlite:///{tmp_path / 'store.sqlite3'}")
    with store.read() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar_one() == 1
        assert connection.exec_driver_sql("PRAGMA busy_timeout").scalar_one() == 5000
    store.close()


def test_a_failed_write_leaves_nothing(store: Store) -> None:
    before = append(store)

    def fail_half_way() -> None:
        with store.write() as connection:
            connection.execute(sa.insert(events).values(time_ns=1, type="lost", data={}))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_half_way()
    assert append(store) > before
    with store.read() as connection:
        assert list(connection.execute(sa.select(events.c.type)).scalars()) == ["x", "x"]


def test_numbers_of_deleted_events_are_not_used_again(store: Store) -> None:
    append(store)
    append(store)
    with store.write() as connection:
        connection.execute(sa.delete(events))
    assert append(store) == 3


def test_a_reader_sees_one_moment_and_does_not_stop_the_writer(store: Store) -> None:
    append(store)
    count = sa.select(sa.func.count()).select_from(events)
    with store.read() as connection:
        before = connection.execute(count).scalar_one()
        append(store)
        assert connection.execute(count).scalar_one() == before == 1
    with store.read() as connection:
        assert connection.execute(count).scalar_one() == 2


def test_not_a_number_is_stored_as_null(store: Store) -> None:
    with store.write() as connection:
        connection.execute(sa.insert(site).values(key="k", value={"a": float("nan"), "b": 1.5}))
    with store.read() as connection:
        assert connection.execute(sa.select(site.c.value)).scalar_one() == {"a": None, "b": 1.5}


def test_a_store_of_a_newer_version_is_refused_untouched(store: Store, url: str) -> None:
    newer = [*MIGRATIONS, Migration(len(MIGRATIONS) + 1, "from_the_future", lambda _: None)]
    migrate(store.engine, store.writer, newer)
    with pytest.raises(StoreError, match=r"from_the_future.*newer version"):
        open_store(url)


def test_a_failing_step_is_undone_whole(store: Store) -> None:
    def half_way(connection: sa.Connection) -> None:
        connection.exec_driver_sql("CREATE TABLE half (a INTEGER)")
        raise RuntimeError("power cut")

    steps = [*MIGRATIONS, Migration(len(MIGRATIONS) + 1, "half_way", half_way)]
    with pytest.raises(RuntimeError, match="power cut"):
        migrate(store.engine, store.writer, steps)
    assert not sa.inspect(store.engine).has_table("half")
    assert len(missing({1: MIGRATIONS[0].name}, steps)) == len(steps) - 1


@pytest.mark.parametrize("content", [b"import os\n" * 500, b"\x00" * 5000])
def test_a_file_that_is_no_database_is_refused_with_its_name(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "notes.txt"
    path.write_bytes(content)
    with pytest.raises(StoreError, match=r"notes\.txt"):
        open_store(f"sqlite:///{path}")
    assert path.read_bytes() == content


def test_a_password_stands_in_no_error() -> None:
    with pytest.raises(StoreError) as caught:
        open_store("nosuchdatabase://me:secret@host/db")
    assert "secret" not in str(caught.value)


def test_a_store_without_a_file_is_refused() -> None:
    with pytest.raises(StoreError, match="name one"):
        open_store("sqlite://")


def _open_and_append(where: str, count: int) -> None:
    store = open_store(where)
    for _ in range(count):
        append(store)
    store.close()


def test_several_processes_open_a_fresh_store_at_once(empty_url: Callable[[], str]) -> None:
    url = empty_url()
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_open_and_append, args=(url, 20)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
        assert worker.exitcode == 0
    store = open_store(url)
    with store.read() as connection:
        numbers = connection.execute(sa.select(events.c.sequence).order_by(events.c.sequence)).scalars()
        assert list(numbers) == list(range(1, 41))
    store.close()
