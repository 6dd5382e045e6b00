import json
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from drivers.wire import Source
from models.runtime import Backbone
from models.sensing import Sensing
from models.training import cli_train, fit, sources
from models.zoo import read_model

from . import make

run = CliRunner().invoke


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.set_num_threads(1)
    monkeypatch.setattr(fit, "EPOCHS", 10)
    monkeypatch.setattr(sources, "SIMULATION_SECONDS", 9.0)


def test_a_trained_folder_is_a_model_that_serves_and_training_repeats(tmp_path: Path) -> None:
    data = make.dataset(tmp_path / "rooms", seconds=26)
    options = ["counting", "--data", str(data), "--shelf", "research", "--licence", "mine"]
    for name in ("one", "two"):
        result = run(cli_train.app, [*options, "-o", str(tmp_path / name)])
        assert result.exit_code == 0, result.stderr
    first, second = (read_model(tmp_path / name) for name in ("one", "two"))
    assert first.onnx == second.onnx
    assert (tmp_path / "one" / "curve.png").read_bytes()[:4] == b"\x89PNG"
    assert first.card.trained_on == "rooms"
    assert first.card.licence == "mine"
    assert first.card.classes == ("0", "1", "2")
    assert first.card.nics == ("intel5300",)
    found = Sensing([Backbone(first)]).predict(
        make.windows(make.recording(7, 2))[4], ["counting"], source=Source.LIVE
    )[0]
    assert found.value in {0, 1, 2}
    assert found.interval is not None


def test_simulation_says_so_in_its_card(tmp_path: Path) -> None:
    result = run(
        cli_train.app, ["presence", "--simulation", "--rooms", "2", "--shelf", "open", "-o", str(tmp_path)]
    )
    assert result.exit_code == 0, result.stderr
    card = read_model(tmp_path).card
    assert card.simulated
    assert card.nics == ("intel5300",)  # the only card of the corpus
    assert "2 simulated rooms" in card.document["data"]["description"]


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ([], "either --data DIR or --simulation"),
        (["--simulation", "--data", "x"], "either --data DIR or --simulation"),
        (["--data", "nowhere"], "data set nowhere does not exist"),
    ],
)
def test_errors_name_what_is_wrong(tmp_path: Path, options: list[str], why: str) -> None:
    result = run(cli_train.app, ["counting", *options, "-o", str(tmp_path / "out")])
    assert result.exit_code == 1
    assert why in result.stderr


def test_one_domain_is_judged_on_its_last_third_and_says_so(tmp_path: Path) -> None:
    data = make.dataset(tmp_path / "rooms", seconds=30, domains=("RoomA",))
    result = run(
        cli_train.app, ["presence", "--data", str(data), "--seeds", "1", "-o", str(tmp_path / "out")]
    )
    assert result.exit_code == 0, result.stderr
    assert "last third" in read_model(tmp_path / "out").card.document["metrics"]["split"]
    results = json.loads((tmp_path / "out" / "results.json").read_text())
    assert {"commit", "n_sessions", "confusion", "interval95", "digest"} <= set(results)


def test_one_domain_of_short_recordings_is_too_few(tmp_path: Path) -> None:
    data = make.dataset(tmp_path / "rooms", seconds=9, domains=("RoomA",))
    result = run(cli_train.app, ["presence", "--data", str(data), "-o", str(tmp_path / "out")])
    assert result.exit_code == 1
    assert "need two domains" in result.stderr
