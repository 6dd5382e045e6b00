"""`bench decode` and `bench live`: one short real measurement each, on our own bytes; no figure is judged."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from service.cli.bench import decode, live, race
from tests.drivers.samples import SAMPLES


@pytest.fixture
def captures(tmp_path: Path) -> Path:
    for nic in ("intel5300", "nexmon"):
        (tmp_path / nic).mkdir()
        (tmp_path / nic / f"{nic}.cap").write_bytes(SAMPLES[nic].file(300))
    return tmp_path


def test_both_sides_of_the_race_find_the_same_frames(captures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(race, "FILE_BYTES", 300_000)
    monkeypatch.setattr(race, "ROUNDS", 3)
    monkeypatch.setattr(race, "COPY_BYTES", 1_000_000)
    monkeypatch.setattr(decode, "ALWAYS", {"intel5300.cap": "intel5300", "nexmon.cap": "nexmon"})
    done = CliRunner().invoke(decode.app, ["--captures", str(captures), "--json"])
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)["results"]
    assert [result["capture"] for result in found] == ["intel5300.cap", "nexmon.cap"]
    for result in found:
        assert result["peer"] == "csiread"
        assert result["ratio"] == pytest.approx(
            result["frames_per_s"] / result["peer_frames_per_s"], rel=0.05
        )
        assert result["memory_share"] > 0


def test_frames_go_through_a_real_socket_and_a_real_bus(
    captures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "CAPTURES", {"intel5300.cap": "intel5300", "nexmon.cap": "nexmon"})
    done = CliRunner().invoke(
        live.app, ["--captures", str(captures), "--rate", "200", "--seconds", "3", "--json"]
    )
    assert done.exit_code == 0, done.output
    for result in json.loads(done.stdout)["results"]:
        assert result["frames_per_s"] > 0
        assert result["cores"] > 0
        assert result["dropped"] == 0
