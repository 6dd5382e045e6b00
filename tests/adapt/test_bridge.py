"""`roomtone evaluate --bridge`: further rooms reach the adapter as vectors, and never with labels."""

from pathlib import Path

import numpy as np
import pytest

from models.errors import DatasetError, SelectionError
from models.training.adapting import setting_of
from models.training.problem import Question, study


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three sites of fingerprints; the one between has places that no other knows."""
    folder, rng = tmp_path_factory.mktemp("rooms"), np.random.default_rng(0)
    for name, places in (("A_1", 3), ("B_1", 5), ("C_1", 3)):
        location = np.repeat(np.arange(places), 12)
        amplitude = 15 + location[:, None] + rng.standard_normal((len(location), 120))
        np.savez(folder / f"{name}.npz", amplitude=amplitude.astype(np.float32), location=location)
    return folder


def question(data: Path, bridge: str | None) -> Question:
    return Question("localization", data, "A_1", "C_1", support="C_1:4", method="pada", bridge=bridge)


def test_a_bridge_is_vectors_without_labels_and_adds_no_class(data: Path) -> None:
    asked = study(question(data, "B_1"), lambda _what, _share: None)
    problem = asked.folds(0)[0]
    assert problem.spec.classes == ("0", "1", "2")
    setting = setting_of(asked.learner, problem, asked.learner.fit(problem.source, 0))
    assert setting.bridge is not None
    assert setting.bridge.shape == (60, setting.source.values.shape[1])
    assert asked.digest != study(question(data, None), lambda _what, _share: None).digest


def test_without_one_it_is_one_step_and_a_wrong_one_is_refused(data: Path) -> None:
    asked = study(question(data, None), lambda _what, _share: None)
    problem = asked.folds(0)[0]
    found = asked.learner.methods()["pada"](problem, asked.learner.fit(problem.source, 0), 0)
    assert (found[:, :3].argmax(axis=1) == problem.query.label).mean() > 0.5
    with pytest.raises(SelectionError, match="C_1"):
        study(question(data, "B_1,C_1"), lambda _what, _share: None)
    with pytest.raises(DatasetError, match="nowhere"):
        study(question(data, "nowhere"), lambda _what, _share: None)
