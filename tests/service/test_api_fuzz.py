"""Cases made from the OpenAPI document, with every role and without a key; `make api-fuzz` runs many more."""

from pathlib import Path

import pytest

from tests.fuzz.api import Fuzz, site

EXAMPLES = 20
"""Of every operation, each sent with every role and without a key."""

pytestmark = pytest.mark.timeout(400)


def test_nothing_breaks_and_nothing_is_open(tmp_path: Path) -> None:
    with site(tmp_path) as running:
        fuzz = Fuzz(running, EXAMPLES)
        fuzz.run()
    assert not fuzz.finds, "\n".join(fuzz.finds)
    assert {200, 401, 403, 404, 422} <= set(fuzz.statuses), "it came past the doors, and was turned away"
