"""Data sets of people's own: `dataset.toml`, what is refused, what is doubted, and figures from it."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from drivers.registry import load as load_nic
from models.data import own
from models.data.registry import dataset_of
from models.errors import DatasetError
from models.training import cli_data, cli_evaluate, fit

from . import make

run = CliRunner().invoke
HEAD = 'nic = "intel5300"\nday = 2026-11-21\nlicence = "CC-BY-4.0"\n'


def capture(path: Path, seconds: float, people: int, seed: int = 0) -> None:
    frames = make.recording(seconds, people, seed=seed)
    table = frames.table.copy()
    table["capture_ns"] = (table["capture_ns"] - make.EPOCH_NS) // 1000 * 1000
    path.write_bytes(load_nic("intel5300").encode(replace(frames, table=table)))


def entry(file: str, domain: str, session: str, more: str) -> str:
    return f'[[recording]]\nfile = "{file}"\ndomain = "{domain}"\nsession = "{session}"\n{HEAD}{more}\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two rooms: vacant and occupied files, and one file labelled by intervals."""
    lines = ["schema = 1\n"]
    for number, domain in enumerate(("lab", "hall")):
        for people, label in ((0, "vacant"), (2, "occupied")):
            file = f"{domain}-{label}.dat"
            capture(tmp_path / file, 14, people, seed=10 * number + people)
            more = f'labels = {{ presence = "{label}", counting = "{people}" }}'
            lines.append(entry(file, domain, label, more))
    capture(tmp_path / "both.dat", 20, 1, seed=5)
    spans = "".join(
        f'[[recording.interval]]\ntask = "activity"\nlabel = "{label}"\nfrom_s = {start}\nto_s = {end}\n'
        for label, start, end in (("sitting", 0, 9), ("walking", 9, 20))
    )
    lines.append(entry("both.dat", "lab", "x", f'person = "p1"\n{spans}'))
    (tmp_path / "dataset.toml").write_text("\n".join(lines))
    return tmp_path


def test_windows_lie_wholly_within_their_labels(folder: Path) -> None:
    samples = own.load(folder, "activity", ["lab"])
    assert samples.classes == ("sitting", "walking")
    ends = samples.start_s + samples.length_s
    assert (ends[samples.label == 0] <= 9).all()
    assert (samples.start_s[samples.label == 1] >= 9).all()
    assert set(np.unique(samples.label)) == {0, 1}
    assert set(samples.person) == {"p1"}


def test_every_task_labelled_has_its_classes(folder: Path) -> None:
    assert dataset_of(folder).NAME == "own"
    assert own.load(folder, "presence", ["lab", "hall"]).classes == ("vacant", "occupied")
    counted = own.load(folder, "counting", ["hall"])
    assert counted.classes == ("0", "1", "2")
    assert set(counted.label.tolist()) == {0, 2}
    assert set(own.domains(folder, "activity")) == {"lab"}


def test_places_may_be_metres_or_cells(folder: Path) -> None:
    text = (folder / "dataset.toml").read_text()
    metres = text.replace('presence = "vacant"', 'localization = "1.5, 2"').replace(
        'presence = "occupied"', 'localization = "0,-1"'
    )
    (folder / "dataset.toml").write_text(metres)
    samples = own.load(folder, "localization", ["lab"])
    assert samples.classes == ()
    assert sorted(map(tuple, np.unique(samples.label, axis=0).tolist())) == [(0.0, -1.0), (1.5, 2.0)]
    (folder / "dataset.toml").write_text(metres.replace('"1.5, 2"', '"desk"'))
    assert own.load(folder, "localization", ["lab"]).classes == ("0,-1", "desk")


def test_evaluate_judges_it(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.set_num_threads(1)
    monkeypatch.setattr(fit, "EPOCHS", 20)
    words = [
        "presence",
        "--data",
        str(folder),
        "--source",
        "lab",
        "--target",
        "hall",
        "--seeds",
        "1",
        "--json",
    ]
    result = run(cli_evaluate.app, words)
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["metrics"]["balanced_accuracy"]["mean"] > 0.9


def test_check_prints_how_much_there_is_and_what_is_doubtful(folder: Path) -> None:
    result = run(cli_data.app, ["check", str(folder), "--json"])
    assert result.exit_code == 0, result.stderr
    told = json.loads(result.stdout)
    vacant = next(one for one in told["cells"] if one["label"] == "vacant" and one["domain"] == "lab")
    assert vacant["recordings"] == 1
    assert vacant["seconds"] == pytest.approx(14, abs=0.2)
    assert any("presence: in lab class equals recording" in line for line in told["warnings"])
    assert any("activity: only one domain, lab" in line for line in told["warnings"])
    assert not any("activity: in lab class equals recording" in line for line in told["warnings"])
    shown = run(cli_data.app, ["check", str(folder)])
    assert "warning: presence" in shown.stdout


def test_check_names_a_capture_that_cannot_be_read_and_a_label_behind_its_end(folder: Path) -> None:
    (folder / "lab-vacant.dat").write_bytes(b"no csi" * 50)
    text = (folder / "dataset.toml").read_text().replace("to_s = 20", "to_s = 60")
    (folder / "dataset.toml").write_text(text)
    result = run(cli_data.app, ["check", str(folder)])
    assert result.exit_code == 1
    assert "lab-vacant.dat" in result.stdout
    assert "activity=walking goes to 60 s" in result.stdout


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("schema = 1", "schema = 7", "is of schema 7"),
        ("schema = 1", "schema = ", "is no TOML"),
        ('file = "both.dat"', 'file = "gone.dat"', "there is no file 'gone.dat'"),
        ('file = "both.dat"', 'file = "../both.dat"', "lies outside the folder"),
        ('file = "both.dat"', 'file = "lab-vacant.dat"', "is listed twice"),
        ('domain = "hall"\n', "", "domain is missing"),
        ("day = 2026-11-21", 'day = "today"', "day must be a date"),
        ("from_s = 9", "from_s = 8", "at the same time"),
        ("from_s = 9", "from_s = 21", "goes from 21 s to 20 s"),
        ('presence = "vacant"', 'presence = "empty"', "it must be vacant or occupied"),
        ('nic = "intel5300"', 'nic = "radio"', "radio"),
    ],
)
def test_what_is_wrong_is_named(folder: Path, old: str, new: str, why: str) -> None:
    path = folder / "dataset.toml"
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))
    with pytest.raises(DatasetError, match=why):
        own.load(folder, "presence", list(own.domains(folder, "presence")))


def test_a_task_and_a_class_that_nobody_labelled(folder: Path) -> None:
    with pytest.raises(DatasetError, match="labels no suspicious_object, but activity, counting, presence"):
        own.domains(folder, "suspicious_object")
    with pytest.raises(DatasetError, match="class 'running' of activity is empty"):
        own.load(folder, "activity", ["lab"], classes=["running"])
    with pytest.raises(DatasetError, match="unknown domain 'attic'"):
        own.load(folder, "presence", ["attic"])
