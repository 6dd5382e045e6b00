"""Every test here that takes `store` or `url` runs on both databases."""

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from service.store.engine import Store, open_store
from tests.postgres import Server, why_not

DATABASES = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A PostgreSQL server for all tests of this run."""
    if reason := why_not():
        pytest.skip(reason)
    with Server() as running:
        yield running


@pytest.fixture(scope="session")
def migrated(server: Server) -> str:
    """Name of a database with today's tables, to be copied."""
    name = server.database()
    open_store(server.url(name)).close()
    return name


@pytest.fixture(params=DATABASES)
def kind(request: pytest.FixtureRequest) -> str:
    """Name of the database a test runs on."""
    return str(request.param)


@pytest.fixture
def empty_url(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[..., str]]:
    """Makes URLs of stores that are not there yet, of this test's database or the one that is named."""
    server: Server = Server()
    made: list[str] = []

    def make(which: str = kind) -> str:
        nonlocal server
        if which == "sqlite":
            return f"sqlite:///{tmp_path / secrets.token_hex(4) / 'store.sqlite3'}"
        server = request.getfixturevalue("server")
        made.append(server.database())
        return server.url(made[-1])

    yield make
    for name in made:
        server.drop(name)


@pytest.fixture
def url(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """URL of an empty store with today's tables."""
    if kind == "sqlite":
        yield f"sqlite:///{tmp_path / 'deep' / 'store.sqlite3'}"
        return
    server: Server = request.getfixturevalue("server")
    migrated: str = request.getfixturevalue("migrated")
    name = _free.pop() if _free else server.database(migrated)
    yield server.url(name)
    # Emptied for the next test, which is quicker than a new one; unless the test changed its tables.
    if server.emptied(name, migrated):
        _free.append(name)
    else:
        server.drop(name)


_free: list[str] = []
"""Empty databases with today's tables."""


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    opened = open_store(url)
    yield opened
    opened.close()
