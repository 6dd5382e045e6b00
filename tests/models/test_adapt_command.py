"""`roomtone adapt` on recordings made here: a head the worker could run, or a refusal and its reason."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from models.adapt.head_file import unpack_head
from models.runtime import Backbone
from models.training.cli_adapt import app
from models.training.lesson import lesson_of
from models.zoo import shelved
from tests.models.make import dataset


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return dataset(tmp_path_factory.mktemp("adapt"), seconds=30.0, domains=("RoomA",))


def adapt(recordings: Path, output: Path, *words: str, task: str = "presence") -> Result:
    asked = [task, "--data", str(recordings), "--support", "RoomA", "-o", str(output), "--json"]
    return CliRunner().invoke(app, [*asked, *words])


def test_the_head_tells_the_vectors_that_the_worker_would_show_it(recordings: Path, tmp_path: Path) -> None:
    result = adapt(recordings, tmp_path / "out", "--method", "head_refit")
    assert result.exit_code == 0, result.stderr
    told = json.loads(result.stdout)
    assert told == json.loads((tmp_path / "out" / "adaptation.json").read_text())
    assert told["provisional"]
    assert told["metrics"]["before"] is None  # a model of simulation may not speak for measured frames yet
    head = unpack_head((tmp_path / "out" / "head.npz").read_bytes())
    model = next(one for one in shelved(["open"]) if one.card.name == told["model"]["name"])
    lesson = lesson_of(Backbone(model), recordings, "presence", "RoomA", lambda *_: None)
    found = head.predict(lesson.rows.values)
    assert (found.argmax(axis=1) == lesson.rows.label).mean() > 0.95
    assert np.allclose(found.sum(axis=1), 1)


def test_swapped_labels_are_refused_with_the_reason(recordings: Path, tmp_path: Path) -> None:
    mixed = tmp_path / "mixed" / "RoomA"
    mixed.mkdir(parents=True)
    for number in range(3):
        shutil.copy(recordings / "RoomA" / "1p.dat", mixed / f"{number}p.dat")
    result = adapt(mixed.parent, tmp_path / "out", "--method", "head_refit", task="counting")
    assert result.exit_code == 1
    assert "refused, inconsistent_samples" in result.stderr
    assert not (tmp_path / "out").exists()
    forced = adapt(mixed.parent, tmp_path / "out", "--method", "head_refit", "--force", task="counting")
    assert forced.exit_code == 0, forced.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--method", "nonsense"], "no method 'nonsense'"),
        (["--model", "counting-simulation"], "no model counting-simulation for presence"),
        (["--support", "RoomC"], "RoomC"),
        (["--support", "RoomA:6s"], "insufficient_evidence"),
    ],
)
def test_what_does_not_fit_is_named(recordings: Path, tmp_path: Path, words: list[str], said: str) -> None:
    result = adapt(recordings, tmp_path / "out", *words)
    assert result.exit_code == 1
    assert said in result.stderr
