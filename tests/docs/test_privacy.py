"""What is stored is listed: every table and column, and nothing that is not there."""

import re
from pathlib import Path

from service.store.belongings import HISTORY, LOG
from service.store.schema import metadata

PAGE = (Path(__file__).parents[2] / "docs" / "privacy.md").read_text()


def rows() -> dict[str, tuple[set[str], str]]:
    """Columns of each listed table, and how long its rows are kept."""
    found = {}
    for line in PAGE.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 4 and (name := re.fullmatch("`([a-z_]+)`", cells[0])):
            found[name[1]] = set(re.findall("`([a-z_]+)`", cells[1])), cells[3]
    return found


def test_every_table_and_column_is_listed_and_no_other() -> None:
    assert {name: columns for name, (columns, _) in rows().items()} == {
        table.name: set(table.c.keys()) for table in metadata.sorted_tables
    }


def test_the_page_says_erased_of_just_what_is_erased() -> None:
    said = {name for name, (_, kept) in rows().items() if "erased" in kept and "stays" not in kept}
    assert said == {table.name for table in (*HISTORY, LOG)}
