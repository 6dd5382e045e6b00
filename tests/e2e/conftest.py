"""Sites for end-to-end tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.site import Site


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A site with no room, both shelves of models loaded."""
    with Site(tmp_path, shelves=("open", "research")) as running:
        yield running
