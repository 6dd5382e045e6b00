"""`roomtone backup` and `roomtone restore` as people call them."""

import hashlib
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from service.cli.main import cli
from service.errors import ServiceError
from service.lock import only_one
from service.settings import Settings
from service.store.engine import open_store
from service.store.rooms import list_rooms
from tests.store.filled import put


def run(*words: str) -> str:
    done = CliRunner().invoke(cli, [*words], prog_name="roomtone", catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def rooms(folder: Path) -> list[str]:
    store = open_store(Settings(data_dir=folder).store_url)
    found = [record.room for record in list_rooms(store)]
    store.close()
    return found


def test_there_and_back(tmp_path: Path) -> None:
    site, other, file = tmp_path / "site", tmp_path / "other", tmp_path / "b.tar.gz"
    store = open_store(Settings(data_dir=site).store_url)
    put(store, "lab")
    store.close()
    told = json.loads(run("backup", str(file), "--data-dir", str(site), "--json"))
    assert told["sha256"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert (told["rows"]["rooms"], told["bytes"]) == (1, file.stat().st_size)
    assert file.stat().st_mode & 0o077 == 0
    assert "are in place" in run("restore", str(file), "--data-dir", str(other))
    assert rooms(other) == ["lab"]
    with pytest.raises(ServiceError, match="--replace"):
        run("restore", str(file), "--data-dir", str(other))
    run("restore", str(file), "--data-dir", str(other), "--replace")
    assert rooms(other) == ["lab"]


def test_a_running_site_is_not_replaced(tmp_path: Path) -> None:
    site, file = tmp_path / "site", tmp_path / "b.tar.gz"
    open_store(Settings(data_dir=site).store_url).close()
    run("backup", str(file), "--data-dir", str(site))
    with (
        only_one(Settings(data_dir=site).socket_dir, "worker"),
        pytest.raises(ServiceError, match="runs already"),
    ):
        run("restore", str(file), "--data-dir", str(site), "--replace")


def test_a_folder_without_a_site_is_named(tmp_path: Path) -> None:
    with pytest.raises(ServiceError, match="is --data-dir the one of the service"):
        run("backup", str(tmp_path / "b.tar.gz"), "--data-dir", str(tmp_path / "nowhere"))
