"""Fixtures of the whole suite: the real data beside the checkout, where it is there."""

import itertools
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

BETWEEN = 6
"""Other files between two that ask for more time."""

SHARED = Path(os.environ.get("ROOMTONE_SHARED", Path(__file__).resolve().parents[2] / "shared"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that ask for more time begin early, so that no worker is left alone with one at the end.

    They wait more than they work: some of the others come between them, so that no core is idle meanwhile.
    """
    files: dict[Path, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    asked = {path: _most_s(tests) for path, tests in files.items()}
    others = (tests for path, tests in files.items() if not asked[path])
    order: list[pytest.Item] = []
    for path in sorted((path for path in files if asked[path]), key=lambda path: -asked[path]):
        order += itertools.chain(files[path], *itertools.islice(others, BETWEEN))
    items[:] = itertools.chain(order, *others)


def _most_s(tests: list[pytest.Item]) -> float:
    """Seconds that one of these asks for; 0 where all live with what is usual."""
    marks = (item.get_closest_marker("timeout") for item in tests)
    return max((mark.args[0] for mark in marks if mark), default=0)


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
