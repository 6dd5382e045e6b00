from pathlib import Path

import numpy as np
import onnx
import pytest

from models.data.capture import blocks_of
from models.data.windows import samples_of, windows_of
from models.learners import learner
from models.runtime import Backbone, Head
from models.signal.variation import NAMES, VERSION
from models.signal.window import WindowSpec
from models.task_names import BUILT_IN
from models.tasks import View
from models.training.zoo import SHIPPED
from models.zoo import SHELVES, CardError, ShelvedModel, parse_card, read_model, shelved
from models.zoo.card import SIMULATION

from . import make
from .twins import LEARNERS, farthest_apart

MODELS = shelved(SHELVES)
IDS = [model.card.name for model in MODELS]


@pytest.mark.parametrize("model", MODELS, ids=IDS)
def test_card_says_what_it_must(model: ShelvedModel) -> None:
    card = model.card
    assert card.features in learner(LEARNERS[card.name]).INPUTS
    assert len(model.onnx) <= 1_000_000
    assert (card.trained_on == SIMULATION) == (card.shelf == "open")
    assert ("non-commercial" in card.licence) == (card.shelf == "research")
    assert card.nics == ("intel5300",)
    assert card.document["data"]["domains"] >= 2
    assert len(card.document["seeds"]["figures"]) >= 3
    assert "by domain" in card.document["metrics"]["split"]
    assert card.calibration["temperature"] > 0
    if card.task == "counting":
        assert card.calibration["interval_width"] > 0


def test_what_is_shipped_is_what_the_zoo_trains() -> None:
    found = {(model.card.name, model.card.task) for model in MODELS}
    assert found == {(one.name, one.task) for one in SHIPPED}
    tasks = {model.card.task for model in MODELS if model.card.shelf == "open"}
    assert tasks == set(BUILT_IN)


@pytest.mark.parametrize("model", MODELS, ids=IDS)
def test_onnx_is_torch_on_synthetic_windows(model: ShelvedModel) -> None:
    assert farthest_apart(model, make.windows(make.recording(7, 2))) < 1e-4


@pytest.mark.shared
@pytest.mark.parametrize("model", MODELS, ids=IDS)
def test_onnx_is_torch_on_real_windows(model: ShelvedModel, crowd: Path) -> None:
    windows = windows_of(blocks_of(crowd / "RoomB" / "4p.dat.xz"), WindowSpec())
    assert farthest_apart(model, windows[::10]) < 1e-4


def test_a_file_that_does_not_compute_what_its_network_does_is_found_out() -> None:
    model = next(one for one in MODELS if one.card.features != VERSION)
    file = onnx.load_from_string(model.onnx)
    next(node for node in file.graph.node if node.op_type == "Relu").op_type = "Tanh"
    wrong = ShelvedModel(model.card, file.SerializeToString())
    assert farthest_apart(wrong, make.windows(make.recording(7, 2))) > 1e-3


def test_training_and_serving_see_the_same_numbers() -> None:
    frames = make.recording(9, 2)
    served = [one for one in make.windows(frames) if one.start_ns >= frames.table["capture_ns"][0]]
    blocks = [frames.take(slice(start, start + 7)) for start in range(0, len(frames), 7)]
    trained = samples_of(
        windows_of(blocks, WindowSpec()),
        domain="d",
        session="d/2p",
        task="counting",
        label=2,
        classes=("0", "1", "2"),
        spec=WindowSpec(),
        origin_ns=int(frames.table["capture_ns"][0]),
    )
    assert len(served) == len(trained) > 2
    for window, row in zip(served, trained.features, strict=True):
        assert np.array_equal(View(window).variation.features, row)


def test_a_room_may_bring_its_own_head() -> None:
    backbone = Backbone(next(model for model in MODELS if model.card.task == "counting"))
    view = View(make.windows(make.recording(7, 2))[4]).variation
    embedding, logits = backbone.run(view.features, view.mask)
    outputs = len(logits)
    head = Head(np.zeros((len(embedding), outputs), np.float32), np.arange(outputs, dtype=np.float32))
    own_embedding, own = backbone.run(view.features, view.mask, head)
    assert np.array_equal(own_embedding, embedding)
    assert own.tolist() == list(range(outputs))
    assert np.array_equal(backbone.run(view.features, view.mask)[1], logits)


def test_streams_that_were_not_measured_do_not_count() -> None:
    backbone = Backbone(MODELS[0])
    features = np.random.default_rng(0).standard_normal((4, len(NAMES))).astype(np.float32)
    mask = np.array([True, True, False, False])
    other = features.copy()
    other[2:] = 99
    assert np.allclose(backbone.run(features, mask)[1], backbone.run(other, mask)[1])
    assert np.allclose(backbone.run(features, mask)[1], backbone.run(features[:2], mask[:2])[1], atol=1e-5)


def test_a_model_that_is_not_its_cards_is_refused(tmp_path: Path) -> None:
    model = MODELS[0]
    (tmp_path / "card.toml").write_text(
        f'name = "x"\nversion = "1"\ntask = "presence"\ntrained_on = "y"\n'
        f'shelf = "open"\nlicence = "z"\nfeatures = "f"\ndigest = "{model.card.digest}"\nclasses = []\n'
        f"nics = []\n[calibration]\n"
    )
    (tmp_path / "model.onnx").write_bytes(model.onnx)
    assert read_model(tmp_path).card.name == "x"
    (tmp_path / "model.onnx").write_bytes(model.onnx + b"\0")
    with pytest.raises(CardError, match="its card says"):
        read_model(tmp_path)


@pytest.mark.parametrize(("text", "why"), [("name = ", "not TOML"), ('name = "x"', "'version' is missing")])
def test_a_damaged_card_is_named(text: str, why: str) -> None:
    with pytest.raises(CardError, match=f"here.*{why}"):
        parse_card(text, "here")
