"""`roomtone config`: check, show, schema; rooms, links and rules as files, there and back."""

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from service.cli.main import cli
from service.configuration.findings import Finding
from service.configuration.table_text import TableError, read_table
from service.configuration.toml_text import toml_text
from service.errors import ServiceError
from service.rooms.alerting.rules import rule_of
from service.rooms.config import RoomConfig, Zone
from service.store.alert_rules import list_rules, put_rules
from service.store.audit import audit_page
from service.store.engine import Store, open_store
from service.store.links import list_links, put_link
from service.store.rooms import get_room, list_rooms, put_room

RULE = {"id": "night", "kind": "occupied", "severity": "warning", "rooms": ["lobby"]}


def run(*words: object) -> Result:
    return CliRunner().invoke(cli, [str(word) for word in words])


def refused(*words: object) -> str:
    result = run(*words)
    assert result.exit_code == 1
    assert isinstance(result.exception, ServiceError), result.exception
    return str(result.exception)


def fill(store: Store) -> None:
    """Two rooms, two links and a rule."""
    anyhow: Callable[[Any], None] = lambda _: None  # noqa: E731
    lobby = RoomConfig(
        name='Lobby "ground" ü',
        tags={"brick": "Lobby", "a b": "="},
        zones=[Zone(zone="desk")],
        size_m=(6.0, 4.5),
    )
    put_room(store, "lobby", lobby, check=anyhow, actor="test", nics={})
    put_room(store, "lab", RoomConfig(stale_after_s=20.0), check=anyhow, actor="test", nics={})
    put_link(store, "l1", room="lobby", nic="intel5300", doc={"name": "door"}, check=anyhow, actor="test")
    put_link(store, "l2", room=None, nic="auto", doc={}, check=anyhow, actor="test")
    put_rules(store, [rule_of(RULE)], check=anyhow, actor="test")


@pytest.fixture
def store(tmp_path: Path) -> Any:
    opened = open_store(f"sqlite:///{tmp_path / 'roomtone.sqlite3'}")
    fill(opened)
    yield opened
    opened.close()


def test_check_says_ok_or_every_mistake(tmp_path: Path) -> None:
    site = tmp_path / "site.toml"
    site.write_text('[[rooms]]\nroom = "a"\n')
    good = run("config", "check", site)
    assert (good.exit_code, good.stdout) == (0, f"{site}: ok (1 rooms and 0 links to create)\n")
    site.write_text("[server]\nprot = 1\nport = -1\n")
    told = refused("config", "check", site)
    assert f"{site}:2: server.prot: there is no such key; did you mean server.port?" in told
    assert f"{site}:3: server.port: " in told
    site.write_text('[[alert_rules]]\nid = "a"\nkind = "occupied"\nseverity = "bad"\n')
    assert f"{site}:4: alert_rules[0].severity: " in refused("config", "check", site)


def test_check_refuses_an_address_in_clear_text(tmp_path: Path) -> None:
    site = tmp_path / "site.toml"
    site.write_text('[server]\nhost = "0.0.0.0"\n')
    assert f"{site}:2: 0.0.0.0 can be reached from other machines" in refused("config", "check", site)
    site.write_text('[server]\nhost = "0.0.0.0"\ntrusted_proxy = "10.0.0.1"\n')
    assert run("config", "check", site).exit_code == 0


@pytest.mark.parametrize("command", ["run", "worker", "outlets", "keys list"])
def test_every_command_that_reads_settings_tells_the_line(tmp_path: Path, command: str) -> None:
    site = tmp_path / "site.toml"
    site.write_text("\n[servr]\n")
    assert f"{site}:2: servr: there is no such key; did you mean server?" in refused(
        *command.split(), "--config", site
    )


def test_show_tells_where_each_value_comes_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = tmp_path / "site.toml"
    site.write_text('[store]\nurl = "postgresql://me:geheim@db/rooms"\n[server]\nnames = ["a.example"]\n')
    monkeypatch.setenv("ROOMTONE_SERVER__PORT", "9000")
    result = run("config", "show", "--config", site, "--data-dir", tmp_path, "--json")
    told = json.loads(result.stdout)
    assert told["server.port"] == {"value": 9000, "source": "ROOMTONE_SERVER__PORT"}
    assert told["server.host"] == {"value": "127.0.0.1", "source": "default"}
    assert told["data_dir"] == {"value": str(tmp_path), "source": "--data-dir"}
    assert told["store.url"] == {"value": "postgresql://me:(hidden)@db/rooms", "source": f"{site}:2"}
    assert told["outlets.mqtt"] == {"value": None, "source": "default"}
    table = run("config", "show", "--config", site).stdout
    assert "geheim" not in result.stdout + table
    assert "ROOMTONE_SERVER__PORT" in table


def test_the_schema_names_every_section() -> None:
    schema = json.loads(run("config", "schema").stdout)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert {"server", "rooms", "outlets"} <= set(schema["properties"])
    assert schema["additionalProperties"] is False


@pytest.mark.parametrize("kind", ["toml", "json"])
def test_what_is_exported_is_brought_into_another_site(store: Store, tmp_path: Path, kind: str) -> None:
    file, other = tmp_path / f"rooms.{kind}", tmp_path / "other"
    assert "2 rooms, 2 links, 1 alert rules" in run("config", "export", file, "--data-dir", tmp_path).stdout
    assert run("config", "diff", file, "--data-dir", tmp_path).stdout == "no difference\n"
    done = run("config", "import", file, "--yes", "--data-dir", other)
    assert done.exit_code == 0, done.exception
    copy = open_store(f"sqlite:///{other / 'roomtone.sqlite3'}")
    assert [one.config for one in list_rooms(copy)] == [one.config for one in list_rooms(store)]
    assert [(one.link, one.room, one.nic, one.doc) for one in list_links(copy)] == [
        ("l1", "lobby", "intel5300", {"name": "door"}),
        ("l2", None, "auto", {"name": ""}),
    ]
    assert "night" in [rule.id for rule in list_rules(copy)]
    copy.close()
    again = run("config", "import", file, "--yes", "--data-dir", other)
    assert "0 changed" in again.stdout


def test_an_import_is_shown_first_and_changes_only_what_the_file_says(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "change.toml"
    file.write_text(
        '[[rooms]]\nroom = "lab"\nstale_after_s = 30.0\n[[rooms]]\nroom = "new"\n'
        '[[links]]\nlink = "l2"\nroom = "new"\n'
        '[[alert_rules]]\nid = "day"\nkind = "link_lost"\nseverity = "info"\n'
    )
    shown = run("config", "import", file, "--data-dir", tmp_path).stdout
    assert "~ room lab\n    stale_after_s: 20.0 -> 30.0\n+ room new\n" in shown
    assert '~ link l2\n    room: null -> "new"' in shown
    assert "nothing was changed yet" in shown
    assert get_room(store, "new") is None
    assert "only in the store; it stays" in run("config", "diff", file, "--data-dir", tmp_path).stdout
    assert "4 changed" in run("config", "import", file, "--yes", "--data-dir", tmp_path).stdout
    lab, lobby = get_room(store, "lab"), get_room(store, "lobby")
    assert lab is not None
    assert lobby is not None
    assert (lab.config.stale_after_s, lab.revision, lobby.revision) == (30.0, 2, 1)
    assert [rule.id for rule in list_rules(store)] == ["night", "day"]
    assert [one.room for one in list_links(store)] == ["lobby", "new"]
    assert {one["actor"] for one in audit_page(store, limit=4, before=None)[0]} == {"config import"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[[rooms]]\nroom = "lab"\n[[rooms]]\nroom = "lab"\n', "room 'lab' stands twice"),
        (
            '[[rooms]]\nroom = "x"\nsize = 3\n',
            ":3: rooms[0].size: there is no such key; did you mean rooms[0].size_m?",
        ),
        ('[[links]]\nlink = "l9"\nroom = "nowhere"\n', ":3: links[0].room: there is no room 'nowhere'"),
        ('[[links]]\nlink = "l9"\nnic = "foo"\n', ":3: links[0].nic: no NIC of that name"),
        ('[[rooms]]\nroom = "x"\nlinks = ["l1"]\n', ":3: rooms[0].links: links are listed under `links`"),
        ('[[alert_rules]]\nid = "x"\nkind = "weather"\nseverity = "info"\n', "alert_rules[0]"),
        ("[[rooms]\n", "is not TOML"),
        ('format = "roomtone-site/9"\n', "format"),
    ],
)
def test_a_file_that_does_not_fit_changes_nothing(store: Store, tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "wrong.toml"
    file.write_text(text)
    assert told in refused("config", "import", file, "--yes", "--data-dir", tmp_path)
    assert [one.revision for one in list_rooms(store)] == [1, 1]


def test_an_import_that_breaks_half_way_leaves_nothing(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "half.toml"
    file.write_text('[[rooms]]\nroom = "new"\n[[links]]\nlink = "l9"\nroom = "new"\n')

    def broken(*_: object, **__: object) -> None:
        raise ServiceError("the disk is full")

    monkeypatch.setattr("service.store.site_import.write_link", broken)
    assert "disk is full" in refused("config", "import", file, "--yes", "--data-dir", tmp_path)
    assert get_room(store, "new") is None


def test_tables_go_through_a_spreadsheet_and_keep_what_they_do_not_show(store: Store, tmp_path: Path) -> None:
    rooms, links = tmp_path / "rooms.csv", tmp_path / "links.csv"
    for what, file in (("rooms", rooms), ("links", links)):
        assert run("config", "export", file, "--csv", what, "--data-dir", tmp_path).exit_code == 0
        assert run("config", "import", file, "--data-dir", tmp_path).stdout == "no difference\n"
    text = rooms.read_text(encoding="utf-8").replace("30.0", "45.5")
    rooms.write_text(text + "attic,,,,,,,,,,\r\n", encoding="utf-8-sig")
    assert "3 changed" in run("config", "import", rooms, "--yes", "--data-dir", tmp_path).stdout
    lobby = get_room(store, "lobby")
    assert lobby is not None
    assert (lobby.config.presence.off_delay_s, [zone.zone for zone in lobby.config.zones]) == (45.5, ["desk"])
    assert get_room(store, "attic") is not None


def test_tables_as_other_spreadsheets_write_them_and_tags_they_cannot_hold(
    store: Store, tmp_path: Path
) -> None:
    file = tmp_path / "rooms.csv"
    file.write_text('room;tasks;tags\nattic;"presence;counting";floor=2\n')
    assert run("config", "import", file, "--yes", "--data-dir", tmp_path).exit_code == 0
    attic = get_room(store, "attic")
    assert attic is not None
    assert (attic.config.tasks, attic.config.tags) == (["presence", "counting"], {"floor": "2"})
    noted = attic.config.model_copy(update={"tags": {"note": "a;b=c"}})
    put_room(store, "attic", noted, check=lambda _: None, actor="test", nics={})
    told = run("config", "export", file, "--csv", "rooms", "--data-dir", tmp_path).stdout
    assert told == f"{file}: 3 rooms\n"
    assert run("config", "import", file, "--data-dir", tmp_path).stdout == "no difference\n"


def test_mistakes_in_a_table_name_their_line(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "rooms.csv"
    file.write_text("room,capacity,width_m,depth_m\nlab,many,1,2\nlobby,3,1,\nlab 2,1,,\n")
    told = refused("config", "import", file, "--yes", "--data-dir", tmp_path)
    assert f"{file}:2: capacity: a number is needed, not 'many'" in told
    assert f"{file}:3: width_m, depth_m: give both or none" in told
    file.write_text("room,colour\nlab,red\n")
    assert f"{file}:1: colour: no such column" in refused("config", "import", file, "--data-dir", tmp_path)
    file.write_text("room,capacity\nlab 2,1\n")
    assert f"{file}:2: rooms[0].room: " in refused("config", "import", file, "--data-dir", tmp_path)


_JSON = st.recursive(
    st.booleans()
    | st.integers(-(2**62), 2**62)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=20, deadline=None)
@given(st.dictionaries(st.text(), _JSON, max_size=4), st.lists(st.dictionaries(st.text(), _JSON, max_size=3)))
def test_written_toml_reads_back_the_same(plain: dict[str, Any], tables: list[dict[str, Any]]) -> None:
    document = {**plain, "tables": tables}
    assert tomllib.loads(toml_text(document)) == document


@settings(max_examples=20, deadline=None)
@given(st.text(max_size=200))
def test_any_table_is_read_or_refused(text: str) -> None:
    told = [Finding("", "", "")]
    try:
        read_table("room," + text, "x.csv")
    except TableError as error:
        told = error.findings
    assert told
