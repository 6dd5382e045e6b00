"""Models of people's own: docs/onnx-contract.md word for word, and everything it says is refused."""

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from typer.testing import CliRunner

from models.sensing import Sensing
from models.training import cli_evaluate
from models.zoo import LOCAL, Core, shelved
from service.cli import models as cli_models
from service.cli.errors import CommandError

from . import make

DOCUMENT = Path(__file__).parents[2] / "docs" / "onnx-contract.md"
run = CliRunner().invoke


def code(language: str, at: int = 0) -> str:
    text = DOCUMENT.read_text(encoding="utf-8")
    return str(re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)[at])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder after the document's steps, word for word."""
    folder = tmp_path_factory.mktemp("own")
    subprocess.run([sys.executable, "-c", code("python")], cwd=folder, check=True, timeout=60)
    (folder / "card.toml").write_text(code("toml"))
    return folder


@pytest.fixture
def files(made: Path, tmp_path: Path) -> tuple[Path, Path]:
    for name in ("model.onnx", "card.toml"):
        (tmp_path / name).write_bytes((made / name).read_bytes())
    return tmp_path / "model.onnx", tmp_path / "card.toml"


def checked(files: tuple[Path, Path]) -> str:
    result = run(cli_models.app, ["check", str(files[0]), "--card", str(files[1])])
    if isinstance(result.exception, CommandError):
        return str(result.exception)
    assert result.exit_code == 0, result.stderr
    return result.stdout


def test_the_documents_model_is_accepted_listed_and_judged(files: tuple[Path, Path], tmp_path: Path) -> None:
    assert "my-counter: keeps the contract; counting" in checked(files)
    site = tmp_path / "site"
    result = run(cli_models.app, ["add", str(files[0]), "--card", str(files[1]), "--data-dir", str(site)])
    assert result.exit_code == 0, result.stderr
    listed = run(cli_models.app, ["list", "--data-dir", str(site), "--json"])
    cards = {one["name"]: one for one in json.loads(listed.stdout)["items"]}
    assert cards["my-counter"]["shelf"] == "local"
    data = make.dataset(tmp_path / "recordings")
    words = ["counting", "--data", str(data), "--source", "RoomA", "--target", "RoomB", "--seeds", "1"]
    words += ["--learner", f"onnx:{site / 'models' / 'my-counter'}", "--json"]
    judged = run(cli_evaluate.app, words)
    assert judged.exit_code == 0, judged.stderr
    told = json.loads(judged.stdout)
    assert told["learner"] == "onnx"
    assert told["metrics"]["mae"]["mean"] < told["baselines"]["majority"]["mae"]["mean"]


def test_a_model_of_ones_own_waits_for_the_gate(files: tuple[Path, Path], tmp_path: Path) -> None:
    from drivers.wire import Source

    run(cli_models.app, ["add", str(files[0]), "--card", str(files[1]), "--data-dir", str(tmp_path / "s")])
    sensing = Sensing.load(["local"], tmp_path / "s" / "models")
    assert [card.name for card in sensing.cards()] == ["my-counter"]
    window = make.windows(make.recording(7, 2))[4]
    found = sensing.predict(window, ["counting"], source=Source.LIVE)[0]
    assert str(found.reason) == "uncalibrated"


def test_what_a_card_remembers_of_its_training_comes_along_or_is_missed(
    files: tuple[Path, Path], tmp_path: Path
) -> None:
    f4 = np.float32
    core = Core(
        np.zeros((1, 3, 33), f4), np.eye(33, dtype=f4), np.zeros((33, 2), f4), np.zeros(2, f4)
    ).to_bytes()
    text = files[1].read_text()
    files[1].write_text(f'core = "{hashlib.sha256(core).hexdigest()}"\n{text}')
    words = ["add", str(files[0]), "--card", str(files[1]), "--data-dir", str(tmp_path / "s")]
    assert "keep core.npz beside the card" in str(run(cli_models.app, words).exception)
    assert list((tmp_path / "s" / "models").iterdir()) == []  # a folder that cannot be read stops the worker
    (tmp_path / "core.npz").write_bytes(core)
    assert run(cli_models.app, words).exit_code == 0
    (model,) = shelved([LOCAL], tmp_path / "s" / "models")
    assert model.core is not None


def test_adding_twice_or_over_another_is_refused(files: tuple[Path, Path], tmp_path: Path) -> None:
    words = ["add", str(files[0]), "--card", str(files[1]), "--data-dir", str(tmp_path / "s")]
    assert run(cli_models.app, words).exit_code == 0
    assert "is there already" in str(run(cli_models.app, words).exception)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ('name = "my-counter"', 'name = "../x"', "must be letters"),
        ('shelf = "local"', 'shelf = "open"', "shelf must be 'local'"),
        ('features = "variation-1"', 'features = "magic"', "is none of variation"),
        ('features = "variation-1"', 'features = "profile-1"', "profile-1 is (1, streams, 30)"),
        ('output = "ordinal"', 'output = "softmax"', "of 3 classes is (1, 3)"),
        ('output = "ordinal"', 'output = "metres"', "with classes"),
        ('output = "ordinal"', 'output = "words"', "is none of ordinal"),
        ("temperature = 1.0", 'temperature = "hot"', "calibration.temperature must be a number"),
        ("interval_width = 1.0", "", "calibration.interval_width must be a number"),
        ('nics = ["intel5300"]', "nics = []", "it would speak for no card"),
        ('task = "counting"', "", "field 'task' is missing"),
    ],
)
def test_cards_that_are_refused(files: tuple[Path, Path], old: str, new: str, why: str) -> None:
    text = files[1].read_text()
    assert old in text
    files[1].write_text(text.replace(old, new))
    assert why in checked(files)


def harmed(model: onnx.ModelProto, harm: str) -> bytes:
    graph = model.graph
    if harm == "cut":
        return bytes(model.SerializeToString()[:100])
    if harm == "external":
        graph.initializer[0].data_location = TensorProto.EXTERNAL
        graph.initializer[0].ClearField("raw_data")
        entry = graph.initializer[0].external_data.add()
        entry.key, entry.value = "location", "weights.bin"
    if harm == "custom":
        graph.node[-1].domain = "com.example"
        model.opset_import.append(helper.make_opsetid("com.example", 1))
    if harm == "opset":
        model.opset_import[0].version = 9
    if harm == "input":
        graph.input.append(helper.make_tensor_value_info("more", TensorProto.FLOAT, [1]))
    if harm == "name":
        graph.output[1].name = "scores"
        graph.node[-1].output[0] = "scores"
    if harm == "head":
        del graph.initializer[0]
    if harm == "mask":
        graph.node[1].CopyFrom(helper.make_node("Identity", ["features"], ["measured"]))
    if harm == "nan":
        graph.initializer[1].CopyFrom(numpy_helper.from_array(np.full(2, np.nan, np.float32), "head_bias"))
    return bytes(model.SerializeToString())


@pytest.mark.parametrize(
    ("harm", "why"),
    [
        ("cut", "is no ONNX model"),
        ("external", "is in another file"),
        ("custom", "only ai.onnx and ai.onnx.ml are run"),
        ("opset", "opset 9 of ai.onnx: use 13 to 22"),
        ("input", "input 'more' is none of the contract's"),
        ("name", "they must be embedding and logits"),
        ("head", "needs an initializer of that name"),
        ("mask", "a stream that is masked out changes the logits"),
        ("nan", "logits are [nan nan]"),
    ],
)
def test_models_that_are_refused(files: tuple[Path, Path], harm: str, why: str) -> None:
    files[0].write_bytes(harmed(onnx.load(files[0]), harm))
    assert why in checked(files)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    result = run(cli_models.app, ["check", str(tmp_path / "no.onnx"), "--card", str(tmp_path / "no.toml")])
    assert "there is no file" in str(result.exception)


def test_a_trained_model_is_exported_as_one_file_with_its_card(tmp_path: Path) -> None:
    from models.training import cli_export

    shipped = Path(str(files_of_zoo())) / "open" / "counting-simulation"
    result = run(cli_export.app, [str(shipped), "-o", str(tmp_path / "one.onnx")])
    assert result.exit_code == 0, result.stderr
    model = onnx.load(tmp_path / "one.onnx")
    assert {one.key for one in model.metadata_props} == {"roomtone_card"}
    assert 'name = "counting-simulation"' in model.metadata_props[0].value
    refused = run(cli_export.app, [str(tmp_path), "-o", str(tmp_path / "two.onnx")])
    assert refused.exit_code == 1
    assert "no trained model in" in refused.stderr


def files_of_zoo() -> object:
    from importlib.resources import files

    return files("models.zoo")
