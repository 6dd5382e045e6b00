"""The EDE files that engineering tools import."""

import csv
from pathlib import Path

from typer.testing import CliRunner

from service.cli.bacnet import app
from service.rooms.config import RoomConfig
from service.settings import Settings
from service.store.bacnet import room_numbers
from service.store.engine import open_store
from service.store.rooms import list_rooms, put_room


def write(folder: Path) -> tuple[list[list[str]], list[list[str]]]:
    done = CliRunner().invoke(app, ["ede", "-o", str(folder / "site_EDE.csv"), "--data-dir", str(folder)])
    assert done.exit_code == 0, done.output
    return rows(folder / "site_EDE.csv"), rows(folder / "site_StateTexts.csv")


def rows(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file, delimiter=";"))


def test_files_name_every_object_with_its_number_and_texts(tmp_path: Path) -> None:
    store = open_store(Settings(data_dir=tmp_path).store_url)
    documents = {"lab": RoomConfig(name='=1+1; "x"\nü'), "hall": RoomConfig(tasks=["presence"])}
    for room, document in documents.items():
        put_room(store, room, document, check=lambda _: None, actor="test", nics={})
    objects, texts = write(tmp_path)
    heads = {row[0]: row[1] for row in objects[1:6]}
    assert heads["VERSION_OF_LAYOUT"] == "2.3"
    assert heads["VERSION_OF_REFERENCEFILE"] == "1"
    columns = [name.removeprefix("# ") for name in objects[7]]
    listed = [dict(zip(columns, row, strict=True)) for row in objects[8:]]
    device = listed[0]
    assert (device["object-type"], device["object-instance"]) == ("8", device["device obj.-instance"])
    by_name = {row["object-name"]: row for row in listed[1:]}
    assert set(by_name) == {"hall/occupancy", "hall/alarm", "lab/occupancy", "lab/people", "lab/alarm"}
    people = by_name["lab/people"]
    assert (people["object-type"], people["unit-code"], people["min-present-value"]) == ("0", "95", "0")
    assert {row["settable"] for row in listed} == {"N"}
    assert {row["supports COV"] for row in listed[1:]} == {"Y"}
    assert people["description"] == '\'=1+1; "x" ü: number of people', "no formula, one line"
    numbers = room_numbers(store, list_rooms(store))
    assert {row["object-name"].split("/")[0]: int(row["object-instance"]) for row in listed[1:]} == numbers
    words = {row[0]: row[1:] for row in texts[2:]}
    assert words[by_name["lab/occupancy"]["state-text-reference"]] == ["vacant", "occupied"]
    assert words[by_name["lab/alarm"]["state-text-reference"]] == ["normal", "info", "warning", "critical"]
    store.close()
    assert write(tmp_path)[0][8:] == objects[8:], "numbers stay"


def test_without_a_store_none_is_made(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["ede", "-o", str(tmp_path / "x.csv"), "--data-dir", str(tmp_path)])
    assert done.exit_code != 0
    assert list(tmp_path.iterdir()) == []
