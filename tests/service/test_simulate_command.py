"""`roomtone simulate` from the outside."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from drivers.errors import UnknownFormatError
from drivers.registry import detect, load
from service.cli.errors import CommandError
from service.cli.simulate import app

runner = CliRunner()


def made(tmp_path: Path, *more: str, code: int = 0) -> tuple[Path, Result]:
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


def labels_of(tmp_path: Path, *more: str) -> dict[str, Any]:
    output = tmp_path / "out.dat"
    done = runner.invoke(app, ["--seed", "1", "-o", str(output), "--json", *more])
    assert done.exit_code == 0, done.output
    labels: dict[str, Any] = json.loads((tmp_path / "out.labels.json").read_text())
    summary = json.loads(done.stdout)
    parsed = load("intel5300").parse(output.read_bytes(), final=True)
    assert summary["frames"] == labels["frames"] == parsed.account.frames
    assert summary["speed"] > 0
    assert "speed" not in labels  # it is not the same each time; the capture and its labels are
    return labels


def test_labels_say_what_people_do(tmp_path: Path) -> None:
    labels = labels_of(tmp_path, "--activity", "2s:walking,2s:falling,1s:lying", "--activity", "3s:walking")
    acts = [(act["person"], act["from_s"], act["to_s"], act["activity"]) for act in labels["activities"]]
    assert acts == [(0, 0, 2, "walking"), (0, 2, 4, "falling"), (0, 4, 5, "lying"), (1, 0, 3, "walking")]
    assert {act["carried"]["material"] for act in labels["activities"]} == {"none"}
    assert labels["people"] == [{"from_s": 0, "to_s": 3, "people": 2}, {"from_s": 3, "to_s": 5, "people": 1}]


def test_labels_number_the_walks_and_say_what_is_carried(tmp_path: Path) -> None:
    labels = labels_of(tmp_path, "--walks", "3", "--carried", "mixed", "--rate", "20")
    assert [walk["walk"] for walk in labels["walks"]] == [0, 1, 2]
    assert [walk["carried"]["material"] for walk in labels["walks"]] == ["none", "metal", "liquid"]
    assert [span["people"] for span in labels["people"]] == [0, 1, 0, 1, 0, 1, 0]
    for walk, span in zip(labels["walks"], labels["people"][1::2], strict=True):
        assert (walk["from_s"], walk["to_s"]) == (span["from_s"], span["to_s"])


def test_a_thing_has_the_size_that_was_asked_for(tmp_path: Path) -> None:
    labels = labels_of(tmp_path, "--people", "1s:1", "--carried", "metal", "--object", "0.4x0.25")
    thing = labels["carried"]
    assert (thing["material"], thing["width_m"], thing["height_m"]) == ("metal", 0.4, 0.25)


def test_one_link_is_simulated_at_least_twenty_times_faster_than_real_time(tmp_path: Path) -> None:
    output = tmp_path / "out.dat"
    done = runner.invoke(app, ["--people", "20s:3", "--rate", "100", "-o", str(output), "--json"])
    assert json.loads(done.stdout)["speed"] >= 20


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--walks", "2", "--people", "1s:1"], "choose one"),
        (["--activity", "3s:sitting,3s:walking"], "begins upright"),
        (["--activity", "3s:flying"], "'flying' is no activity"),
        (["--activity", "5s:walking", "--activity", "3s:standing"], "person 1 ends standing at 3 s"),
        (["--carried", "gold"], "none, metal, liquid"),
        (["--carried", "mixed"], "needs --walks"),
        (["--object", "0.3x0.2"], "made of"),
        (["--carried", "metal", "--object", "9x9"], "outside"),
        (["--carried", "metal", "--object", "big"], "'big' is no size"),
        (["--walks", "3", "--carried", "mixed", "--object", "0.3x0.2"], "sizes of their own"),
    ],
)
def test_impossible_scenes_are_named(tmp_path: Path, arguments: list[str], says: str) -> None:
    done = runner.invoke(app, [*arguments, "-o", str(tmp_path / "x.dat")])
    assert done.exit_code == 2
    assert says in " ".join(done.output.replace("│", " ").split())
    assert not (tmp_path / "x.dat").exists()
