"""Cells of a table: no formula wherever a spreadsheet splits, and what is read back is what was written."""

import csv
import io

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from service.configuration.table_cells import guarded, unguarded
from service.configuration.table_text import read_table, write_table

TEXTS = st.text(st.sampled_from("'=+-@;\t\r\n ,\"aü\u00a0"), min_size=1, max_size=10)


def table(name: str) -> str:
    return write_table("links", [{"link": "l1", "room": None, "nic": "auto", "name": name}])


def room(tags: dict[str, str]) -> dict[str, object]:
    known = dict.fromkeys(("stale_after_s", "retention_days", "capacity", "size_m"))
    return {**known, "room": "lab", "name": "Lab", "tasks": ["presence"], "presence": {}, "tags": tags}


@settings(max_examples=500, deadline=None)
@given(TEXTS, st.sampled_from(",;\t"))
@example("x;=cmd|'/c calc'!A1;y", ";")
@example('x;"=1"', ";")
@example("a\n=1+1\nb", ",")
def test_no_formula_begins_where_a_spreadsheet_may_split(name: str, between: str) -> None:
    text = table(name)
    cells = [one for row in csv.reader(io.StringIO(text, newline=""), delimiter=between) for one in row]
    if between != ",":  # there our quotes may not be where a spreadsheet looks for them
        cells += [one for line in text.splitlines() for one in line.split(between)]
    assert not [one for one in cells if one.strip('\t\r\n"')[:1] in set("=+-@")], cells


@settings(max_examples=500, deadline=None)
@given(TEXTS)
@example(" ")
@example("' x")
@example("'=1 ")
@example("''")
def test_every_text_comes_back_with_its_blanks(name: str) -> None:
    assert unguarded(guarded(name)) == name
    assert read_table(table(name), "links.csv")[1][0]["name"] == name


@pytest.mark.parametrize("tags", [{"a": "b", "-": "x", "+c": "d"}, {"@x": "", "b": "'=1"}])
def test_tags_are_guarded_one_by_one(tags: dict[str, str]) -> None:
    text = write_table("rooms", [room(tags)])
    assert not [one for one in text.replace(",", ";").split(";") if one[:1] in set("+-@")]
    assert read_table(text, "rooms.csv")[1][0]["tags"] == tags


@pytest.mark.parametrize(
    ("cell", "text"),
    [(" Lab ", "Lab"), ("\tLab", "Lab"), (" '=1", "=1"), ("'Lab'", "'Lab'"), ("a; b", "a; b")],
)
def test_blanks_that_people_leave_around_a_cell_mean_nothing(cell: str, text: str) -> None:
    assert read_table(f"room,name\r\nlab,{cell}\r\n", "x.csv")[1] == [{"room": "lab", "name": text}]
