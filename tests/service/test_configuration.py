"""Mistakes in a configuration: all at once, each with its key and the line or the variable it stands in."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.configuration.environment import read_environment
from service.configuration.fields import keys_of
from service.configuration.findings import shown
from service.configuration.load import ConfigurationError, Loaded, load
from service.configuration.toml_lines import lines_of
from service.settings import Settings

WRONG = """# a site
data_dir = "there"

[server]
prot = 8000
port = "eighty"
limits = { requests_per_s = -1 }

[windw]
length_s = 4

[models]
shelves = [
  "open",
  "attic",
]

[[rooms]]
room = "lobby"
tasks = ["presence"]

[[rooms]]
room = "no spaces please"
size_m = [0.0, 4.5]

[[links]]
link = "l1"
nic = "foo"
"""


def site(folder: Path, text: str) -> Path:
    path = folder / "site.toml"
    path.write_text(text, encoding="utf-8")
    return path


def mistakes(folder: Path, text: str, **environ: str) -> list[str]:
    with pytest.raises(ConfigurationError) as caught:
        load(site(folder, text), {}, environ)
    return [str(one).replace(str(folder) + "/", "") for one in caught.value.findings]


def read(folder: Path, text: str, flags: dict[str, Any] | None = None, **environ: str) -> Loaded:
    return load(site(folder, text), flags or {}, environ)


def test_every_mistake_is_told_with_its_line(tmp_path: Path) -> None:
    told = mistakes(tmp_path, WRONG)
    for start, word in (
        ("site.toml:5: server.prot: ", "did you mean server.port?"),
        ("site.toml:6: server.port: ", "not 'eighty'"),
        ("site.toml:7: server.limits.requests_per_s: ", "greater than or equal to 0"),
        ("site.toml:9: windw: ", "did you mean window?"),
        ("site.toml:13: models.shelves[1]: ", "'attic'"),
        ("site.toml:23: rooms[1].room: ", "pattern"),
        ("site.toml:24: rooms[1].size_m[0]: ", "greater than 0"),
        ("site.toml:26: links[0].room: ", "Field required"),
        ("site.toml:28: links[0].nic: ", "intel5300"),
    ):
        assert [line for line in told if line.startswith(start) and word in line], (start, told)
    assert len(told) == 9


@pytest.mark.parametrize(
    ("variable", "value", "told"),
    [
        ("ROOMTONE_SERVER__PORT", "x", "ROOMTONE_SERVER__PORT: server.port: .*not 'x'"),
        ("ROOMTONE_SERVER__PROT", "1", "ROOMTONE_SERVER__PROT: .*ROOMTONE_SERVER__PORT"),
        ("ROOMTONE_SERVR__PORT", "1", "ROOMTONE_SERVR__PORT: .*ROOMTONE_SERVER__PORT"),
        ("ROOMTONE_MODELS__SHELVES", "open", "ROOMTONE_MODELS__SHELVES: models.shelves: it must be JSON"),
        ("ROOMTONE_MODELS__SHELVES", '["attic"]', r"ROOMTONE_MODELS__SHELVES: models.shelves\[0\]"),
        ("ROOMTONE_SERVER", '{"port": 99999}', "ROOMTONE_SERVER: server.port"),
        ("ROOMTONE_OUTLETS__MQTT__PORT", "0", "ROOMTONE_OUTLETS__MQTT__PORT: outlets.mqtt.port"),
        ("roomtone_server__port", "x", "roomtone_server__port: server.port"),
    ],
)
def test_a_mistake_in_the_environment_names_the_variable(
    tmp_path: Path, variable: str, value: str, told: str
) -> None:
    with pytest.raises(ConfigurationError, match=told):
        read(tmp_path, "", {}, **{variable: value})


def test_file_and_environment_are_told_together(tmp_path: Path) -> None:
    told = mistakes(tmp_path, "[server]\nprot = 1", ROOMTONE_MODELS__SHELVES="open", ROOMTONE_DEMO="maybe")
    assert [line.partition(":")[0] for line in told] == [
        "ROOMTONE_MODELS__SHELVES",
        "site.toml",
        "ROOMTONE_DEMO",
    ]


def test_who_counts_most_and_where_each_setting_comes_from(tmp_path: Path) -> None:
    text = 'data_dir = "file"\n[server]\nport = 1\nhost = "127.0.0.2"\n'
    loaded = read(tmp_path, text, {"data_dir": Path("flag")}, ROOMTONE_SERVER__PORT="2")
    assert (loaded.settings.data_dir, loaded.settings.server.port) == (Path("flag"), 2)
    assert loaded.origins["data_dir",] == "--data-dir"
    assert loaded.origins["server", "port"] == "ROOMTONE_SERVER__PORT"
    assert loaded.origins["server", "host"].endswith("site.toml:4")


def test_a_single_key_counts_more_than_its_section_as_json(tmp_path: Path) -> None:
    both = {"ROOMTONE_SERVER": '{"port": 1, "host": "127.0.0.2"}', "ROOMTONE_SERVER__PORT": "2"}
    server = read(tmp_path, "", {}, **both).settings.server
    assert (server.port, server.host) == (2, "127.0.0.2")


def test_optional_sections_lists_and_tables_come_from_the_environment(tmp_path: Path) -> None:
    loaded = read(
        tmp_path,
        "",
        ROOMTONE_OUTLETS__MQTT__HOST="127.0.0.1",
        ROOMTONE_SERVER__NAMES='["rooms.example"]',
        ROOMTONE_AUTH__OIDC__ROLES='{"cleaners": "viewer"}',
        ROOMTONE_ROOMS='[{"room": "lab"}]',
        ROOMTONE_SHARED="somebody else's",
    )
    assert loaded.settings.outlets.mqtt is not None
    assert loaded.settings.server.names == ["rooms.example"]
    assert loaded.settings.auth.oidc.roles == {"cleaners": "viewer"}
    assert [room.room for room in loaded.settings.rooms] == ["lab"]


def test_a_list_given_again_leaves_no_line_of_the_file_behind(tmp_path: Path) -> None:
    told = mistakes(tmp_path, '[[rooms]]\nroom = "a"\n', ROOMTONE_ROOMS='[{"room": 7}]')
    assert told == [one for one in told if one.startswith("ROOMTONE_ROOMS: rooms[0].room")]


def test_a_password_is_not_told() -> None:
    assert shown("store.url", "postgresql://me:geheim@db/x") == "postgresql://me:(hidden)@db/x"
    assert shown("outlets.x.password", "geheim") == "(hidden)"
    assert shown("store.url", "sqlite:///file") == "sqlite:///file"


@pytest.mark.parametrize("text", ["a = ", "[a\n", "\x00", 'x = "\n"'])
def test_what_is_not_toml_is_told_with_the_file(tmp_path: Path, text: str) -> None:
    (told,) = mistakes(tmp_path, text)
    assert told.startswith("site.toml: not TOML")


LINES = """a = 1
b.c = [
  1, # ]
  "]",
]
d = '''
[not.a.table]
e = 2
'''
[t]
f = { g = 1 } # [u]
"quo ted" = 1
[[l]]
x = 1
[l.sub]
y = 2
[[l]]
x = 3
  [[l.deep]]
  z = 4
"""


def test_lines_are_those_of_the_keys() -> None:
    tomllib.loads(LINES)
    lines = lines_of(LINES)
    assert lines == {
        ("a",): 1,
        ("b",): 2,
        ("b", "c"): 2,
        ("d",): 6,
        ("t",): 10,
        ("t", "f"): 11,
        ("t", "quo ted"): 12,
        ("l", 0): 13,
        ("l", 0, "x"): 14,
        ("l", 0, "sub"): 15,
        ("l", 0, "sub", "y"): 16,
        ("l", 1): 17,
        ("l", 1, "x"): 18,
        ("l", 1, "deep", 0): 19,
        ("l", 1, "deep", 0, "z"): 20,
    }


@settings(max_examples=15, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["ROOMTONE_" + key.replace(".", "__") for key in keys_of(Settings)]), st.text()
    )
)
def test_any_environment_is_read_or_refused(environ: dict[str, str]) -> None:
    told = [one.where for one in read_environment(Settings, environ).findings]
    try:
        load(None, {}, environ)
    except ConfigurationError as error:
        told += [one.where for one in error.findings]
    assert all(where in environ or where == "" for where in told)
