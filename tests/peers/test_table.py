"""The table of docs/parsers.md: every case is in it, and our column is what our parser does."""

import sys
from pathlib import Path

import pytest

from tests.peers.cases import CASES, Case
from tests.peers.compare import SUFFIX, our_cell
from tests.peers.verdict import Reference

PAGE = Path(__file__).parents[2] / "docs" / "parsers.md"
SHARED = Path(__file__).parents[3] / "shared"


def row(case: Case) -> list[str]:
    name = Path(case.file).name + ("" if case.real else " (made)")
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith(f"| {name} |")]
    assert len(lines) == 1, name
    return [cell.strip() for cell in lines[0].strip("|").split("|")]


@pytest.mark.parametrize("case", CASES, ids=[case.file for case in CASES])
def test_every_case_is_in_the_table_and_ours_is_right(case: Case) -> None:
    cells = row(case)
    assert cells[2] == f"{case.frames}: {case.right}"
    assert "**" not in cells[3]


@pytest.mark.shared
@pytest.mark.parametrize("nic", sorted({case.nic for case in CASES}))
def test_our_column_is_what_our_parser_does(nic: str, tmp_path: Path) -> None:
    if not (SHARED / "captures").is_dir():
        pytest.skip("the real captures are not beside this checkout")
    reference = Reference(SHARED / "golden", SUFFIX[nic]) if nic in SUFFIX else None
    for case in [case for case in CASES if case.nic == nic]:
        cell = our_cell(case, SHARED / "captures", reference, tmp_path, sys.executable)
        assert cell == row(case)[3], case.file
