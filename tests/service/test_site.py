"""Settings as commands take them, and what `site.toml` makes of a fresh store."""

from pathlib import Path

import pytest

from service.cli.site import site_settings
from service.configuration.load import ConfigurationError
from service.errors import ServiceError
from service.lock import only_one
from service.settings import Settings
from service.store.engine import open_store
from service.store.enroll import seed
from service.store.links import get_link
from service.store.rooms import get_room, list_rooms

SITE = """
[[rooms]]
room = "lobby"
size_m = [6.0, 4.5]
links = ["l1"]
presence = { off_delay_s = 60.0 }

[[links]]
link = "l2"
room = "lobby"
nic = "intel5300"

[[links]]
link = "l3"
room = "attic"
nic = "intel5300"
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "site.toml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[server]\nport = 70000", "server.port"),
        ("[sever]\nport = 1", "sever"),
        ("port =", "not TOML"),
        ("[models]\nshelves = ['attic']", r"models\.shelves\[0\]: .*'attic'"),
        ("[server]\nport = 'eight'", "server.port: .*'eight'"),
        ("[server]\nprot = 1", "server.prot: there is no such key"),
        ("[window]\nhop_s = 9.0", "hop_s 9 is longer than length_s 4"),
        ("[[links]]\nlink = 'l'\nroom = 'r'\nnic = 'foo'", r"links\[0\]\.nic: .*intel5300.*'foo'"),
    ],
)
def test_a_mistake_in_the_file_is_named_with_the_file(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says) as caught:
        site_settings(written(tmp_path, text))
    assert "site.toml" in str(caught.value)


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "site.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match=r"site\.toml.*not TOML.*UTF-8"):
        site_settings(path)


def test_a_list_in_the_environment_that_is_not_json_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROOMTONE_MODELS__SHELVES", "open")
    with pytest.raises(
        ConfigurationError, match=r"ROOMTONE_MODELS__SHELVES: models\.shelves: it must be JSON.*list"
    ):
        site_settings(None)


def test_a_store_of_another_kind_is_an_error_in_words() -> None:
    with pytest.raises(ServiceError, match=r"mysql.*sqlite:///FILE"):
        open_store("mysql://there/roomtone")


def test_flags_count_more_than_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, "data_dir = 'there'")
    assert site_settings(path, data_dir=Path("here")).data_dir == Path("here")
    assert site_settings(path, data_dir=None).data_dir == Path("there")


def test_the_file_seeds_what_is_missing_and_touches_nothing_else(tmp_path: Path) -> None:
    settings: Settings = site_settings(written(tmp_path, SITE), data_dir=tmp_path)
    store = open_store(settings.store_url)
    seed(store, settings)
    lobby, attic = get_room(store, "lobby"), get_room(store, "attic")
    assert lobby is not None
    assert attic is not None
    assert (lobby.config.links, lobby.config.presence.off_delay_s) == (["l1", "l2"], 60.0)
    assert attic.config.links == ["l3"]
    link = get_link(store, "l2")
    assert link is not None
    assert link.nic == "intel5300"
    changed = site_settings(written(tmp_path, SITE.replace("60.0", "5.0")), data_dir=tmp_path)
    seed(store, changed)
    assert get_room(store, "lobby") == lobby
    assert [record.revision for record in list_rooms(store)] == [1, 1]
    store.close()


def test_only_one_worker_writes_the_states_of_a_site(tmp_path: Path) -> None:
    with only_one(tmp_path, "worker"):
        with pytest.raises(ServiceError, match="runs already"), only_one(tmp_path, "worker"):
            pass
        assert (tmp_path / "worker.lock").read_text().isdigit()
    with only_one(tmp_path, "worker"):
        pass
