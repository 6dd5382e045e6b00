"""The worker and `roomtone evaluate` give one model's windows of one capture the same probabilities."""

import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
import torch
from pyarrow import parquet
from typer.testing import CliRunner

from drivers.simulate.corpus import labelled_blocks
from drivers.wire import Source
from models.data.capture import blocks_of
from models.data.own import first_ns
from models.learners import neural
from models.runtime import Backbone, Head
from models.sensing import Sensing
from models.signal.view import View
from models.tasks.decode import probabilities
from models.training import cli_evaluate, cli_train
from models.training.zoo import ZOO
from models.zoo import ShelvedModel, read_model

from .rows_data import Folder, make_folder
from .serving import NIC, START_NS, serve

Floats = npt.NDArray[np.float64]
CLOSE = 1e-6
LEARNERS = {
    "counting": "counting_dnn",
    "localization": "fingerprint_dnn",
    "activity": "cnn_bilstm",
    "suspicious_object": "object_cnn",
}
"""One of each input, and of each way to answer."""


class Overheard(Backbone):
    """Notes what it is asked and says while it serves: logits by the start of the window."""

    def __init__(self, model: ShelvedModel) -> None:
        super().__init__(model)
        self.said: dict[int, npt.NDArray[np.float32]] = {}

    def read(self, view: View, head: Head | None = None) -> npt.NDArray[np.float32] | None:
        found = super().read(view, head)
        if found is not None:
            self.said[view.window.start_ns - START_NS] = found
        return found

    def answer(self, start_ns: int) -> Floats:
        """Probabilities, or metres and radius, as the tasks decode them."""
        logits, card = self.said[start_ns], self.card
        if card.output == "metres":
            return np.append(logits, card.calibration["sigma_m"]).astype(np.float64)
        return probabilities(logits, card.output, card.calibration["temperature"])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    return make_folder(tmp_path_factory.mktemp("data") / "simulation")


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.set_num_threads(1)
    monkeypatch.setattr(neural, "EPOCHS", 1)


def run(app: object, *words: object) -> None:
    result = CliRunner().invoke(app, [str(word) for word in words])  # type: ignore[arg-type]
    assert result.exit_code == 0, (words, result.stderr, result.exception)


def evaluated(task: str, model: Path, data: Folder, out: Path) -> dict[str, dict[int, Floats]]:
    """By session, what `roomtone evaluate` wrote of each window of the second domain, by its start in ns."""
    source, target = data.domains[task]
    words = ("--data", data.path, "--source", source, "--target", target, "--learner", f"onnx:{model}")
    run(cli_evaluate.app, task, *words, "--seeds", 1, "--predictions", out)
    table = parquet.read_table(out).to_pydict()
    names = [name for name in table if name.startswith(("probability_", "found_", "sigma_"))]
    found: dict[str, dict[int, Floats]] = {}
    for row, (session, start) in enumerate(zip(table["session"], table["start_s"], strict=True)):
        values = np.array([table[name][row] for name in names])
        found.setdefault(session.rsplit("/", 1)[1], {})[round(start * 1e9)] = values
    return found


def check(model: Path, capture: Path, told: dict[int, Floats], folder: Path, source: Source) -> None:
    """Every window that was judged was served, and with the same numbers."""
    shelved = read_model(model)
    card = replace(shelved.card, shelf="open" if source is Source.SIMULATED else "research", rooms=())
    backbone = Overheard(ShelvedModel(card, shelved.onnx))
    served = serve(capture, Sensing([backbone]), [card.task], folder, source)
    origin = first_ns(list(blocks_of(capture, NIC)))
    stored = {row["from_ns"] - START_NS: row["doc"] for row in served.predictions}
    assert told
    for start, expected in told.items():
        at = round((origin + start) / 1e6) * 1_000_000
        assert np.abs(backbone.answer(at) - expected).max() < CLOSE
        if card.task in {"counting", "activity"}:  # what the worker stored is of the same window
            best = card.classes.index(str(stored[at]["value"]))
            assert stored[at]["probability"] == pytest.approx(expected[best], abs=CLOSE)


@pytest.mark.parametrize("task", LEARNERS)
def test_on_a_simulated_capture_with_a_model_of_ones_own(task: str, folder: Folder, tmp_path: Path) -> None:
    model, words = tmp_path / "model", ("--learner", LEARNERS[task], "--seeds", 1)
    run(cli_train.app, task, "--data", folder.path, *words, "-o", model)
    told = evaluated(task, model, folder, tmp_path / "told.parquet")
    name = max(told)
    check(model, folder.path / name, told[name], tmp_path, Source.SIMULATED)


def test_on_a_simulated_capture_with_the_shipped_counter(tmp_path: Path) -> None:
    data = Folder(tmp_path / "simulation")
    for room, people, blocks in labelled_blocks(8, 2, 12.0, (2, 7)):
        data.add(f"{room}-{people}", room, blocks, {"counting": str(people)})
    model = ZOO / "open" / "counting-simulation"
    told = evaluated("counting", model, data, tmp_path / "told.parquet")
    for name in told:
        (tmp_path / name).mkdir()
        check(model, data.path / name, told[name], tmp_path / name, Source.SIMULATED)


@pytest.mark.shared
def test_on_a_real_capture_with_the_shipped_counter(crowd: Path, tmp_path: Path) -> None:
    data = Folder(tmp_path / "real")
    for room, people in (("RoomA", 2), ("RoomA", 7), ("RoomB", 1), ("RoomB", 4)):
        file = f"{room}-{people}p.dat.xz"
        shutil.copyfile(crowd / room / f"{people}p.dat.xz", data.path / file)
        data.note(file, room, {"counting": str(people)})
    model = ZOO / "research" / "counting-crowd-rooms-5300"
    told = evaluated("counting", model, data, tmp_path / "told.parquet")
    name = "RoomB-4p.dat.xz"
    assert len(told[name]) > 100
    check(model, data.path / name, told[name], tmp_path, Source.REPLAY)
