"""Figures of research learners: answered when code has changed, printed with baselines, called simulated."""

import json
import re
from pathlib import Path

import pytest

from models.errors import DatasetError
from models.figures.rows import ROWS
from models.figures.studies import SECTION, STUDIES, Answer, Study, page, run
from models.figures.studies.breathing import breathing
from models.figures.studies.crossing import crossing
from models.learners import learner
from models.learners.breathing import learner as rnn
from models.learners.crossing import learner as unet
from models.learners.crossing.fit import Recipe

DOCS = Path(__file__).parents[2] / "docs"


def made_up(seed: int) -> Answer:
    longest: dict[str, str | float] = {"step": "fit", "cpu_s": 1.0 + seed}
    return Answer({"f1": 0.5 + seed / 10}, {"always": {"f1": 0.25}}, longest, {"rooms": 3})


STUDY = Study("made-up", "a question", "temporal_unet", made_up)


def answered(study: Study, results: Path, code: str = "a") -> str:
    return run.answer(
        study, results, code=lambda _modules: code, seeds=3, progress=lambda _what, _share: None
    )


def test_a_study_is_answered_once_for_its_code(tmp_path: Path) -> None:
    assert answered(STUDY, tmp_path).startswith("answered in")
    told = json.loads((tmp_path / "made-up.json").read_text())
    assert told["metrics"] == {"f1": {"mean": 0.6, "sd": 0.0816}}
    assert told["baselines"] == {"always": {"f1": {"mean": 0.25, "sd": 0.0}}}
    assert [one["metrics"]["f1"] for one in told["seeds"]] == [0.5, 0.6, 0.7]
    assert told["longest"] == {"step": "fit", "cpu_s": 3.0}
    assert told["simulated"] is True
    assert told["trained_on"] == "simulation"
    assert answered(STUDY, tmp_path) == "as it was"
    assert answered(STUDY, tmp_path, code="b").startswith("answered in")


def test_what_cannot_be_answered_says_why_and_leaves_no_file(tmp_path: Path) -> None:
    def failing(seed: int) -> Answer:
        raise DatasetError(f"nothing for seed {seed}")

    study = Study("failing", "a question", "temporal_unet", failing)
    assert answered(study, tmp_path) == "not answered: nothing for seed 0"
    assert not list(tmp_path.iterdir())


def test_the_page_tells_figures_baselines_and_that_it_is_simulation(tmp_path: Path) -> None:
    assert "| a question | `temporal_unet` | - | not answered yet | |" in page.lines(tmp_path, [STUDY])
    answered(STUDY, tmp_path)
    lines = page.lines(tmp_path, [STUDY])
    assert lines[0] == f"## {SECTION}"
    assert "simulation alone" in lines[2]
    assert "| a question | `temporal_unet` | f1 | **0.600** ± 0.082 | always 0.250 |" in lines
    assert "    python -m models.figures --only made-up" in lines


def test_studies_are_of_registered_learners_and_named_like_no_row() -> None:
    assert all(study.learner == learner(study.learner).NAME for study in STUDIES)
    names = [row.name for row in ROWS] + [study.name for study in STUDIES]
    assert len(set(names)) == len(names)


def test_figures_come_from_rooms_made_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unet, "RECIPE", Recipe(epochs=1))
    monkeypatch.setattr(rnn, "EPOCHS", 1)
    found = crossing(0, source=2, target=1)
    assert set(found.metrics) == {"bin_f1", "segment_iou"}
    assert set(found.baselines) == {"motion_variance", "always"}
    marked = found.facts["share_marked"]
    assert isinstance(marked, float)
    assert found.baselines["always"]["bin_f1"] == pytest.approx(2 * marked / (1 + marked), abs=1e-3)
    found = breathing(0, source=1, target=1)
    assert set(found.baselines) == {"spectral_peak", "majority"}
    assert found.baselines["majority"]["balanced_accuracy"] in (0.25, pytest.approx(1 / 3))


def test_the_example_of_the_manual_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With one epoch, in one room."""
    monkeypatch.setattr(rnn, "EPOCHS", 1)
    monkeypatch.chdir(tmp_path)
    section = (DOCS / "cli.md").read_text().split("### Research learners", 1)[1].split("\n#", 1)[0]
    code = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    assert len(code) == 1
    exec(compile(code[0].replace("breaths(24,", "breaths(1,"), "cli.md", "exec"), {})  # noqa: S102 - our own page
    assert (tmp_path / "breathing.onnx").stat().st_size > 10_000
