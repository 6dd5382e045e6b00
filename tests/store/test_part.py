"""One worker writes, each of its transactions once: over machines, and over connections that break."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from service.errors import ServiceError
from service.store.engine import Store, open_store
from service.store.part import only_part
from service.worker.turns import SupersededError, Turns
from tests.postgres import Server
from tests.store.test_log import append


@pytest.fixture
def shared(server: Server, migrated: str) -> Iterator[Store]:
    name = server.database(migrated)
    opened = open_store(server.url(name))
    yield opened
    opened.close()
    server.drop(name)


def test_a_second_process_of_a_part_is_refused(shared: Store) -> None:
    refused = pytest.raises(ServiceError, match="'worker' of this site runs already")
    with only_part(shared, "worker"), only_part(shared, "trainer"), refused, only_part(shared, "worker"):
        pass
    with only_part(shared, "worker"):
        pass


def test_a_lock_that_was_lost_is_taken_again_or_told(shared: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service.store.part._LOOK_S", 0.0)
    with only_part(shared, "worker") as keep:
        _break_connections(shared)
        keep()
        keep()
        with pytest.raises(ServiceError), only_part(shared, "worker"):
            pass
        _break_connections(shared)
        keep()
        with only_part(shared, "worker"), pytest.raises(ServiceError):
            keep()


def _break_connections(store: Store) -> None:
    others = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
    with store.write() as connection:
        connection.execute(sa.text(f"{others} AND pid <> pg_backend_pid()"))


def test_a_transaction_is_done_once_however_often_it_is_tried(store: Store) -> None:
    turns, written = Turns("first"), list[int]()

    def attempt() -> int:
        with store.write() as connection:
            return turns.once(connection, lambda begun: written.append(append(begun)) or written[-1])

    turns.begin()
    assert attempt() == attempt() == written[0], "committed, but the connection broke before it said so"
    turns.done()
    turns.begin()
    assert attempt() == written[1]
    assert len(written) == 2


def test_a_worker_that_was_replaced_writes_no_more(store: Store) -> None:
    first, second = Turns("first"), Turns("second")
    for turns in (first, second):
        turns.begin()
        with store.write() as connection:
            turns.once(connection, append)
        turns.done()
    first.begin()
    with pytest.raises(SupersededError), store.write() as connection:
        first.once(connection, append)
