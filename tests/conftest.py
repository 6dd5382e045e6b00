"""Fixtures of the whole suite: the real data beside the checkout, where it is there."""

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# numpy is not imported yet; three workers share two cores: much of what they do is waiting.
for _library in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_library, "1")

# Processes that tests start share what the first of them compiled; each would compile all of ours anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# A person's run looks for new counter-examples each time; the run that decides about landing repeats itself.
settings.register_profile("repeatable", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("repeatable")

SHARED = Path(os.environ.get("ROOMTONE_SHARED", Path(__file__).resolve().parents[2] / "shared"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that ask for more time begin first, so that no worker is left alone with one at the end."""
    limits: dict[Path, float] = {}
    for item in items:
        asked = item.get_closest_marker("timeout")
        limits[item.path] = max(limits.get(item.path, 0), asked.args[0] if asked else 0)
    items.sort(key=lambda item: limits[item.path], reverse=True)


@pytest.fixture(autouse=True)
def _own_log() -> Iterator[None]:
    """What a test makes of the root logger ends with it: its stream is gone then."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder of real captures, golden decodes and data sets; skips where there is none."""
    if not SHARED.is_dir():
        pytest.skip(f"no real data at {SHARED} (set ROOMTONE_SHARED)")
    return SHARED


@pytest.fixture(scope="session")
def captures(shared: Path) -> Path:
    """Folder of real captures, one sub-folder a NIC."""
    return shared / "captures"


@pytest.fixture(scope="session")
def crowd(shared: Path) -> Path:
    """The people-counting data set, RoomA and RoomB."""
    return shared / "datasets" / "crowd_rooms_5300"


@pytest.fixture(scope="session")
def datasets(shared: Path) -> Path:
    """Folder of the real labelled data sets."""
    return shared / "datasets"
