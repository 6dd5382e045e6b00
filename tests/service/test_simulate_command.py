"""`roomtone simulate` from the outside."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from drivers.errors import UnknownFormatError
from drivers.registry import detect, load
from service.cli.errors import CommandError
from service.cli.simulate import app

runner = CliRunner()


def made(tmp_path: Path, *more: str, code: int = 0):
    output = tmp_path / "out.dat"
    done = runner.invoke(app, ["--people", "1s:0,2s:2", "--seed", "1", "-o", str(output), *more])
    assert done.exit_code == code, done.output
    return output, done


def test_capture_and_labels_agree(tmp_path: Path) -> None:
    output, done = made(tmp_path, "--room", "5x4x2.7", "--json")
    parsed = load("intel5300").parse(output.read_bytes(), final=True)
    labels = json.loads((tmp_path / "out.labels.json").read_text())
    summary = json.loads(done.stdout)
    assert parsed.account.total_bytes == summary["bytes"] == output.stat().st_size
    assert parsed.account.frames == summary["frames"] == labels["frames"] > 200
    assert not parsed.account.rejected
    assert labels["source"] == summary["source"] == "simulated"
    assert labels["people"] == [{"from_s": 0, "to_s": 1, "people": 0}, {"from_s": 1, "to_s": 3, "people": 2}]
    assert labels["room_m"] == [5, 4, 2.7]


def test_same_seed_same_file(tmp_path: Path) -> None:
    first = made(tmp_path)[0].read_bytes()
    assert made(tmp_path)[0].read_bytes() == first
    assert made(tmp_path, "--day", "1")[0].read_bytes() != first


def test_wide_channel_and_single_streams(tmp_path: Path) -> None:
    output, _ = made(tmp_path, "--bandwidth", "40", "--single-stream", "0.2")
    blocks = load("intel5300").parse(output.read_bytes(), final=True).blocks
    assert {(block.shape, block.bandwidth_mhz) for block in blocks} == {((30, 3, 2), 40), ((30, 3, 1), 40)}


@pytest.mark.parametrize(
    ("nic", "bandwidth", "shape"),
    [
        ("atheros", 20, (56, 3, 2)),
        ("atheros", 40, (114, 3, 2)),
        ("nexmon", 20, (64, 1, 1)),
        ("nexmon", 80, (256, 1, 1)),
    ],
)
def test_every_card_writes_a_capture_that_detection_knows(
    tmp_path: Path, nic: str, bandwidth: int, shape: tuple[int, int, int]
) -> None:
    output, done = made(tmp_path, "--nic", nic, "--bandwidth", str(bandwidth), "--json")
    data = output.read_bytes()
    assert detect(data)[0].NAME == nic == json.loads(done.stdout)["nic"]
    parsed = load(nic).parse(data, final=True)
    assert not parsed.account.rejected
    assert parsed.account.total_bytes == len(data)
    assert {(block.shape, block.bandwidth_mhz) for block in parsed.blocks} == {(shape, bandwidth)}
    assert json.loads(done.stdout)["bandwidth_mhz"] == bandwidth


def test_labels_where_they_are_wanted(tmp_path: Path) -> None:
    made(tmp_path, "--labels", str(tmp_path / "truth.json"))
    assert (tmp_path / "truth.json").exists()
    assert not (tmp_path / "out.labels.json").exists()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--people", "0-x"], "'x' is not a number"),
        (["--people", "20q:1"], "'20q:1' is not a span"),
        (["--room", "5x4"], "'5x4' is no room"),
        (["--room", "0.1x4x3"], "outside"),
        (["--bandwidth", "80"], "20 or 40"),
        (["--nic", "nexmon", "--bandwidth", "160"], "20, 40 or 80"),
        (["--rate", "0"], "should be greater"),
    ],
)
def test_usage_errors_name_what_is_wrong(tmp_path: Path, arguments: list[str], says: str) -> None:
    done = runner.invoke(app, [*arguments, "-o", str(tmp_path / "x.dat")])
    assert done.exit_code == 2
    assert says in " ".join(done.output.replace("│", " ").split())
    assert not (tmp_path / "x.dat").exists()


def test_unwritable_output_is_named(tmp_path: Path) -> None:
    done = runner.invoke(app, ["-o", str(tmp_path / "no" / "x.dat")])
    assert isinstance(done.exception, CommandError)
    assert "x.dat" in str(done.exception)


def test_capture_and_labels_are_two_files(tmp_path: Path) -> None:
    both = str(tmp_path / "x.dat")
    done = runner.invoke(app, ["-o", both, "--labels", both])
    assert isinstance(done.exception, CommandError)


def test_unknown_card_is_named_with_those_there_are(tmp_path: Path) -> None:
    done = runner.invoke(app, ["--nic", "ouija", "-o", str(tmp_path / "x.dat")])
    assert isinstance(done.exception, UnknownFormatError)
    assert "intel5300" in str(done.exception)
