"""Every row of the literature that reads live CSI: trained, judged, exported and served by the real commands.

A row more is one line more in `ROWS`. Nothing here says how good a row is (docs/accuracy.md does): the
recordings are simulated, few and short.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import typer
from typer.testing import CliRunner

from drivers.wire import Source
from models.learners import neural
from models.runtime import Backbone
from models.sensing import Sensing
from models.training import cli_evaluate, cli_export, cli_train
from models.zoo import LOCAL, Card, ShelvedModel, shelved
from service.cli import models as cli_models
from service.settings import Settings

from .rows_data import Folder, make_folder, with_cells
from .serving import serve

Told = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the literature: its number, and which learner does which task; places by name with `cells`."""

    number: str
    learners: Mapping[str, str]
    cells: bool = False


ROWS = (
    Row("1", {"localization": "shallow:dbscan+pca+svr"}),
    Row("2", {"counting": "counting_dnn"}),
    Row("3", {"localization": "fingerprint_dnn"}),
    Row("4", {"presence": "shallow:dbscan+pca+svc", "localization": "shallow:dbscan+pca+svr"}),
    Row("5", {"localization": "fingerprint_cnn"}, cells=True),
    Row("6", {"activity": "cnn_bilstm"}),
    Row("12", {"suspicious_object": "object_cnn"}),
)


@dataclass(frozen=True, slots=True)
class Data:
    """The folder with places in metres, and the same with names of places."""

    folder: Folder
    cells: Path


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Data:
    folder = make_folder(tmp_path_factory.mktemp("metres") / "simulation")
    return Data(folder, with_cells(folder, tmp_path_factory.mktemp("cells") / "simulation"))


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.set_num_threads(1)
    monkeypatch.setattr(neural, "EPOCHS", 2)


def roomtone(app: typer.Typer, *words: object) -> str:
    """Run a command that must succeed; what it printed."""
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == 0, f"{words}: {result.stderr}"
    return result.stdout


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"row {row.number}")
def test_a_row_is_trained_judged_exported_and_served(row: Row, data: Data, tmp_path: Path) -> None:
    site = Settings(data_dir=tmp_path / "site")
    for task, who in row.learners.items():
        made = trained(task, who, data.cells if row.cells else data.folder.path, tmp_path)
        judged(task, who, data, cells=row.cells)
        added(made, site, tmp_path)
    models = shelved([LOCAL], site.local_shelf)
    assert {one.card.task for one in models} == set(row.learners)
    for one in models:
        capture, stores = data.folder.last[one.card.task], tmp_path / f"served-{one.card.task}"
        for name in ("local", "open"):
            (stores / name).mkdir(parents=True)
        unproven(one, site, capture, stores / "local")
        answers(one, capture, stores / "open")


def trained(task: str, who: str, folder: Path, tmp_path: Path) -> Path:
    out = tmp_path / task
    told = roomtone(cli_train.app, task, "--data", folder, "--learner", who, "--seeds", 1, "-o", out)
    assert "held-out" in told
    return out


def judged(task: str, who: str, data: Data, *, cells: bool) -> None:
    """By `roomtone evaluate`, the second domain by what was learned in the first."""
    folder, (source, target) = data.cells if cells else data.folder.path, data.folder.domains[task]
    words = ("--data", folder, "--source", source, "--target", target, "--learner", who, "--seeds", 1)
    told = json.loads(roomtone(cli_evaluate.app, task, *words, "--json"))
    assert told["n_units"] > 0
    assert told["learner"] == who.partition(":")[0]
    assert all(np.isfinite(one["mean"]) for one in told["metrics"].values())


def added(made: Path, site: Settings, tmp_path: Path) -> None:
    """Exported to one file, which the contract's checker lets onto the local shelf."""
    file = tmp_path / f"{made.name}.onnx"
    roomtone(cli_export.app, made, "-o", file)
    roomtone(cli_models.app, "add", file, "--card", made / "card.toml", "--data-dir", site.data_dir)


def unproven(model: ShelvedModel, site: Settings, capture: Path, folder: Path) -> None:
    """On the local shelf it says nothing of a room that has not proven it (DESIGN A6)."""
    task, local = model.card.task, Sensing.load([LOCAL], site.local_shelf)
    found = serve(capture, local, [task], folder, Source.SIMULATED).states[task]
    if task == "presence":  # the motion statistic needs no model
        assert found["model"]["name"] == "motion-statistic"
    else:
        assert (found["status"], found["reason"]) == ("unknown", "uncalibrated")


def answers(model: ShelvedModel, capture: Path, folder: Path) -> None:
    """On a shelf that may speak, the same file answers in every window that is full, under its own name."""
    task = model.card.task
    shipped = ShelvedModel(replace(model.card, shelf="open"), model.onnx)
    found = serve(capture, Sensing([Backbone(shipped)]), [task], folder, Source.SIMULATED)
    windows = [row["doc"] for row in found.predictions]
    told = [one for one in windows if one["status"] == "ok"]
    assert len(told) >= 4
    assert {one["reason"] for one in windows if one not in told} <= {"low_occupancy"}  # at either end
    for one in told:
        assert (one["model"]["name"], one["model"]["digest"]) == (model.card.name, model.card.digest)
    state = found.states[task]
    assert (state["status"], state["source"]) == ("ok", "simulated")
    assert (state["model"]["name"], state["model"]["trained_on"]) == (model.card.name, "simulation")
    AS_MEANT[task](told, model.card)


def of_a_class(told: Told, card: Card) -> None:
    assert {str(one["value"]) for one in told} <= set(card.classes)
    assert all(0 < one["probability"] <= 1 for one in told)


def a_place(told: Told, card: Card) -> None:
    for one in told:
        if card.output == "metres":
            assert one["value"]["sigma_m"] == card.calibration["sigma_m"] > 0
            assert abs(one["value"]["x_m"]) < 20
        else:
            assert one["value"]["cell"] in card.classes


def voted(told: Told, card: Card) -> None:
    """Once the walk is over, its windows have voted."""
    of_a_class(told, card)
    assert "walk" not in told[0]
    walks = [one["walk"] for one in told if "walk" in one]
    assert walks
    assert walks[0]["to_s"] > walks[0]["from_s"]


AS_MEANT: dict[str, Callable[[Told, Card], None]] = {
    "presence": of_a_class,
    "counting": of_a_class,
    "localization": a_place,
    "activity": of_a_class,
    "suspicious_object": voted,
}
