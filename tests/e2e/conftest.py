"""Sites for end-to-end tests."""

from collections.abc import Iterator

import pytest

from tests.e2e.site import Site


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site with both shelves of models loaded and no room but what the tests of a file make."""
    with Site(tmp_path_factory.mktemp("site"), shelves=("open", "research")) as running:
        yield running
