"""The first admin key is shown once: to a person on a screen, never to what may be a log."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.cli.welcome import FIRST_KEY, Welcome, show_first_key
from service.store.engine import Store, open_store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(f"sqlite:///{tmp_path}/roomtone.sqlite3")
    yield opened
    opened.close()


def test_shown_once_on_a_screen(
    store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    show_first_key(store, tmp_path)
    assert "rt_" in capsys.readouterr().out
    show_first_key(store, tmp_path)
    assert capsys.readouterr().out == ""
    assert not (tmp_path / FIRST_KEY).exists()


def test_a_log_gets_no_key(store: Store, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    show_first_key(store, tmp_path)
    said = capsys.readouterr().out
    assert "rt_" not in said
    assert FIRST_KEY in said
    place = tmp_path / FIRST_KEY
    assert place.read_text().startswith("rt_")
    assert place.stat().st_mode & 0o777 == 0o600


def test_login_address_is_printed_once(store: Store, capsys: pytest.CaptureFixture[str]) -> None:
    welcome = Welcome(store, "http://127.0.0.1:8000")
    for part in ("worker", "api", "api"):
        welcome.at_first_beat(part)
    assert capsys.readouterr().out.count("/login?token=") == 1
