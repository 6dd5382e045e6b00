"""One mosquitto for all tests that only need one to be there."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.outlets.mqtt.broker import Broker, need_mosquitto


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    need_mosquitto()
    with Broker(tmp_path_factory.mktemp("mosquitto")) as running:
        yield running


@pytest.fixture
def own_broker(tmp_path: Path) -> Iterator[Broker]:
    """A broker that the test may kill."""
    need_mosquitto()
    folder = tmp_path / "mosquitto"
    folder.mkdir()
    with Broker(folder) as running:
        yield running
