"""Row 13 by the real commands: one simulated gate is recorded, learned, judged, exported and served."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from drivers.simulate.corpus import TimedStand, labelled_stands
from drivers.wire import Source
from models.data.simulated_tasks import SHEET
from models.runtime import Backbone
from models.sensing import Sensing
from models.training import cli_evaluate, cli_export, cli_train
from models.zoo import LOCAL, ShelvedModel, shelved
from service.cli import models as cli_models
from service.settings import Settings

from .rows_data import NIC, encoded
from .serving import START_NS, serve

TASK, STOPS, SEED = "suspicious_object", 28, 5
Stops = list[tuple[float, float, str]]


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Stops]:
    """A folder `simulation` with all stops of a day in one capture, and those stops in seconds."""
    folder = tmp_path_factory.mktemp("gate") / "simulation"
    folder.mkdir()
    found = list(labelled_stands(SEED, 1, STOPS, 1, ("none", SHEET), spread_m=0.005))
    blocks = [block for *_, some in found for block in some]
    (folder / "gate.dat").write_bytes(encoded(blocks))
    begin = int(blocks[0].table["capture_ns"][0])
    stops = [(*seconds(stand, begin), carried) for _, stand, carried, _ in found]
    lines = [
        'schema = 1\n[[recording]]\nfile = "gate.dat"\ndomain = "gate"\nsession = "one"\nday = 2026-11-21',
        f'nic = "{NIC}"\nlicence = "made up"',
    ]
    lines += [
        f'[[recording.interval]]\ntask = "{TASK}"\nlabel = "{carried}"\nfrom_s = {start}\nto_s = {end}'
        for start, end, carried in stops
    ]
    (folder / "dataset.toml").write_text("\n".join(lines) + "\n")
    return folder, stops


def seconds(stand: TimedStand, begin: int) -> tuple[float, float]:
    return max((stand.from_ns - begin) / 1e9, 0.0), (stand.to_ns - begin) / 1e9


def roomtone(app: typer.Typer, *words: object) -> str:
    result = CliRunner().invoke(app, [str(word) for word in words])
    assert result.exit_code == 0, f"{words}: {result.stderr}"
    return result.stdout


def test_a_gate_is_learned_judged_exported_and_served(gate: tuple[Path, Stops], tmp_path: Path) -> None:
    folder, stops = gate
    out, site, middle = tmp_path / "out", tmp_path / "site", stops[STOPS // 2][0]
    told = roomtone(cli_train.app, TASK, "--data", folder, "--learner", "metal_gate", "--seeds", 1, "-o", out)
    assert "held-out" in told
    judge = (
        "--data",
        folder,
        "--source",
        f"gate:0s-{middle:.0f}s",
        "--target",
        f"gate:{middle + 15:.0f}s-999s",
    )
    words = (*judge, "--learner", "metal_gate", "--seeds", 1, "--json")
    report: dict[str, Any] = json.loads(roomtone(cli_evaluate.app, TASK, *words))
    assert report["learner"] == "metal_gate"
    assert report["metrics"]["accuracy"]["mean"] > 0.8
    roomtone(cli_export.app, out, "-o", tmp_path / "gate.onnx")
    roomtone(cli_models.app, "add", tmp_path / "gate.onnx", "--card", out / "card.toml", "--data-dir", site)
    (one,) = shelved([LOCAL], Settings(data_dir=site).local_shelf)
    served(one, folder / "gate.dat", stops, tmp_path)


def served(one: ShelvedModel, capture: Path, stops: Stops, tmp_path: Path) -> None:
    """From a shelf that may speak: what windows of somebody who stands say is what they carry."""
    sensing = Sensing([Backbone(ShelvedModel(replace(one.card, shelf="open"), one.onnx))])
    found = serve(capture, sensing, [TASK], tmp_path, Source.SIMULATED)
    assert found.states[TASK]["model"]["name"] == one.card.name
    right = []
    for row in found.predictions:
        to_s = (int(row["to_ns"]) - START_NS) / 1e9
        inside = [carried for start, end, carried in stops if start <= to_s - 4 and to_s <= end]
        if inside and row["doc"]["status"] == "ok":
            right.append(row["doc"]["this_window"] == inside[0])
    assert len(right) > STOPS
    assert sum(right) > 0.8 * len(right)
