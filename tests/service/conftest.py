"""Fixtures of several tests of the service."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from service.settings import IngestSettings, Settings
from service.store.engine import open_store
from tests.service.bench import Bench


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    store = open_store(f"sqlite:///{tmp_path / 'store.sqlite3'}")

    def build(**ingest: Any) -> Bench:
        site = Settings(data_dir=tmp_path, ingest=IngestSettings(**{"auto_rooms": True, **ingest}))
        return Bench(store, site)

    yield build
    store.close()


@pytest.fixture
def bench(make: Callable[..., Bench]) -> Bench:
    return make()
