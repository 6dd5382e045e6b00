"""The page about the API: every row and point names tests, and every test it names is there."""

import ast
import re
from pathlib import Path

import pytest

from tests.service.contract.test_rows import ROWS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "api.md").read_text()
NAMED = sorted(set(re.findall(r"`([\w/]+\.py)::(test_\w+)`", PAGE)))


def rows(heading: str) -> list[str]:
    """Rows of the table under a heading."""
    part = PAGE.partition(f"### {heading}\n")[2].partition("\n#")[0]
    return [line for line in part.splitlines() if line.startswith("| ")][1:]


@pytest.mark.parametrize("file", sorted({file for file, _ in NAMED}))
def test_every_test_that_is_named_is_there(file: str) -> None:
    tree = ast.parse((ROOT / "tests" / file).read_text())
    there = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
    assert {name for named, name in NAMED if named == file} <= there


@pytest.mark.parametrize("heading", ["REST, route by route", "Stream", "What integrators expect"])
def test_every_row_names_a_test(heading: str) -> None:
    assert rows(heading)
    for row in rows(heading):
        assert "::test_" in row, row


def test_nothing_is_left_out() -> None:
    # Health is one row of the contract; who may what is one more of the page.
    assert len(rows("REST, route by route")) == len(ROWS) + 1
    assert [row.split(".")[0] for row in rows("What integrators expect")] == [f"| {n}" for n in range(1, 16)]
    page = "".join(rows("REST, route by route"))
    for routes in ROWS.values():
        stem = routes[0][1].split("/{")[0].rpartition("/")[2]
        assert stem in page, f"no row about {routes[0][1]}"
