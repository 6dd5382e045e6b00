"""What models remember of their training: statistics that come back as rows, checked against the card."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from models.runtime import Backbone
from models.signal.bands import BANDS
from models.signal.inputs import Measured
from models.zoo import CardError, Core, read_model, shelved

SHIPPED = shelved(["open", "research"])


def test_rows_are_drawn_as_they_were_measured_and_the_same_again() -> None:
    mean = np.array([[[0.0, 0], [3, 1]], [[1, 1], [np.nan, np.nan]]], np.float32)
    head = (np.ones((1, 2), np.float32), np.zeros(2, np.float32))
    core = Core.from_bytes(Core(mean, np.diag([1.0, 4.0]).astype(np.float32), *head).to_bytes())
    values, label, group = core.rows(1)
    assert len(values) == 3 * len(values[(label == 0) & (group == 0)])  # one class is missing in one group
    assert values[(label == 1)].mean(axis=0) == pytest.approx([3, 1], abs=2)
    again = core.rows(1)[0]
    assert (again == values).all()
    assert not (core.rows(2)[0] == values).all()


@pytest.mark.parametrize("model", SHIPPED, ids=lambda one: one.card.name)
def test_shipped_models_remember_every_class_as_a_room_sees_it(model: object) -> None:
    core = model.core  # type: ignore[attr-defined]
    assert core is not None
    card = model.card  # type: ignore[attr-defined]
    values, label, _ = core.rows()
    assert set(label.tolist()) == set(range(len(card.classes)))
    assert np.isfinite(values).all()
    shape = {"amplitude-1": (1, 10, 100), "profile-1": (6, 30)}.get(card.features, (1, 33))
    seen = Measured(np.zeros(shape, np.float32), np.ones(shape[0], bool))
    banded = Measured(np.zeros((6, 2 * BANDS), np.float32), np.ones(6, bool))
    assert values.shape[1] == len(Backbone(model).vector_of(seen, banded))  # type: ignore[arg-type]


@pytest.mark.parametrize("model", SHIPPED, ids=lambda one: one.card.name)
def test_the_shipped_head_is_the_one_in_the_file(model: object) -> None:
    core, backbone = model.core, Backbone(model)  # type: ignore[attr-defined, arg-type]
    shape = {"amplitude-1": (1, 10, 100), "profile-1": (6, 30)}.get(backbone.card.features, (1, 33))
    features = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    embedding, logits = backbone.run(features, np.ones(shape[0], bool))
    assert embedding @ core.weight + core.bias == pytest.approx(logits, abs=1e-3)


def test_a_core_that_is_not_the_cards_is_refused(tmp_path: Path) -> None:
    name = "presence-simulation"
    shutil.copytree(Path(__file__).parents[2] / "models" / "zoo" / "open" / name, tmp_path / name)
    (tmp_path / name / "core.npz").write_bytes(b"another")
    with pytest.raises(CardError, match=r"core\.npz"):
        read_model(tmp_path / name)
    (tmp_path / name / "core.npz").unlink()
    with pytest.raises(CardError, match=r"core\.npz"):
        read_model(tmp_path / name)
