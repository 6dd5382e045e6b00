"""The first admin key is shown once: to a person on standard output, never to systemd's journal."""

import os
import sys
from pathlib import Path

import pytest

from service.cli.welcome import FIRST_KEY, Welcome, show_first_key
from service.store.engine import Store, open_store


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(f"sqlite:///{tmp_path}/roomtone.sqlite3")


def connect_to_journal(monkeypatch: pytest.MonkeyPatch) -> None:
    output = os.fstat(sys.stdout.fileno())
    monkeypatch.setenv("JOURNAL_STREAM", f"{output.st_dev}:{output.st_ino}")


def test_shown_once(store: Store, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    show_first_key(store, tmp_path)
    assert "rt_" in capfd.readouterr().out
    show_first_key(store, tmp_path)
    assert capfd.readouterr().out == ""
    assert not (tmp_path / FIRST_KEY).exists()


def test_the_journal_gets_neither_key_nor_login(
    store: Store, tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    connect_to_journal(monkeypatch)
    show_first_key(store, tmp_path)
    Welcome(store, "http://127.0.0.1:8000").at_first_beat("api")
    said = capfd.readouterr().out
    assert "rt_" not in said
    assert "token" not in said
    place = tmp_path / FIRST_KEY
    assert place.read_text().startswith("rt_")
    assert place.stat().st_mode & 0o777 == 0o600


def test_login_address_is_printed_once(store: Store, capfd: pytest.CaptureFixture[str]) -> None:
    welcome = Welcome(store, "http://127.0.0.1:8000")
    for part in ("worker", "api", "api"):
        welcome.at_first_beat(part)
    assert capfd.readouterr().out.count("/login?token=") == 1
