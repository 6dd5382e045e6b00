"""Tasks, learners and data sets of other packages are taken by their entry points."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from drivers.wire import Source
from models.data.registry import dataset_of
from models.learners import learner, names
from models.prediction import Reason
from models.sensing import Sensing
from models.task_names import names as task_names
from models.tasks import task_of
from models.training.evaluate import Question, evaluate
from models.training.task import task_spec
from tests.packages import Install

from . import make

DATASET = """
from pathlib import Path
import numpy as np
from models.data.registry import check_wanted, quiet
from models.data.samples import PLAIN, Samples, rows
NAME, LAYOUT = "dials", "DIR/<room>.dial, two numbers a line"
LEARNERS, LEAVE_OUT = {"presence": "nearest_toy"}, ()
def recognises(folder): return any(folder.glob("*.dial"))
def domains(folder, task): return {path.stem: [path] for path in sorted(folder.glob("*.dial"))}
def site(domain): return domain
def load(folder, task, wanted, *, inputs=(), classes=None, progress=quiet):
    known = domains(folder, task)
    check_wanted(folder, known, wanted)
    read = {name: np.loadtxt(known[name][0]) for name in wanted}
    return Samples.join([
        rows(task, {PLAIN: one[:, :1]}, one[:, 1].astype(int), ("vacant", "occupied"), domain=name)
        for name, one in read.items()
    ])
"""
LEARNER = """
import numpy as np
from models.learners.base import Learner, unseen
class Nearest(Learner):
    NAME, TITLE, TASKS, INPUTS = "nearest_toy", "nearest mean", ("presence", "napping"), ("plain",)
    def fit(self, samples, seed, *, progress=unseen):
        return Fitted([samples.inputs["plain"][samples.label == one].mean() for one in (0, 1)])
class Fitted:
    def __init__(self, means): self.means = means
    def predict(self, inputs):
        far = np.abs(inputs["plain"] - np.array(self.means))
        return far[:, ::-1] / far.sum(axis=1, keepdims=True)
"""
TASK = """
from models.prediction import Prediction
class Napping:
    name, needs_model = "napping", False
    def predict(self, evidence):
        return Prediction("napping", "asleep" if evidence.view.window.frames else "awake", 0.9)
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    task_of.cache_clear()
    yield Install(tmp_path, monkeypatch)
    task_of.cache_clear()


def use_a_task(_folder: Path) -> None:
    assert task_names()[-1] == "napping"
    window = make.windows(make.recording(7, 0))[4]
    found = Sensing([]).predict(window, ["napping", "counting"], source=Source.LIVE)
    assert [(one.task, one.value, one.reason) for one in found] == [
        ("napping", "asleep", None),
        ("counting", None, Reason.NO_MODEL),
    ]
    assert task_spec("napping", ("awake", "asleep")).classes == ("awake", "asleep")


def use_a_learner(_folder: Path) -> None:
    assert "nearest_toy" in names()
    assert learner("nearest_toy").TASKS == ("presence", "napping")


def use_a_data_set(folder: Path) -> None:
    for name, step in (("Hut", 0.0), ("Shed", 0.1)):
        lines = [f"{step + label + 0.01 * turn} {label}" for label in (0, 1) for turn in range(9)]
        (folder / f"{name}.dial").write_text("\n".join(lines))
    assert dataset_of(folder).NAME == "dials"
    found = evaluate(Question("presence", folder, "Hut", "Shed", seeds=1)).document
    assert found["learner"] == "nearest_toy"
    assert found["metrics"]["balanced_accuracy"]["mean"] == 1.0  # type: ignore[call-overload, index]


@pytest.mark.parametrize(
    ("brought", "use"),
    [
        (["roomtone.tasks", "napping", "toy_task", TASK, "Napping"], use_a_task),
        (["roomtone.learners", "nearest_toy", "toy_learner", LEARNER, "Nearest"], use_a_learner),
        (["roomtone.datasets", "dials", "toy_dials", DATASET], use_a_data_set),
    ],
)
def test_what_another_package_brings_is_used(
    install: Install, tmp_path: Path, brought: list[str], use: Callable[[Path], None]
) -> None:
    install(*brought)
    if use is use_a_data_set:
        install("roomtone.learners", "nearest_toy", "toy_beside", LEARNER, "Nearest")
    (tmp_path / "data").mkdir()
    use(tmp_path / "data")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (None, "No module named 'toy_broken'"),
        ("class Napping: pass", "it lacks name, needs_model, predict"),
        (
            TASK.replace('name, needs_model = "napping"', 'name, needs_model = "dozing"'),
            "calls itself 'dozing'",
        ),
        (TASK.replace('Prediction("napping"', 'Prediction("presence"'), "answered for 'presence'"),
    ],
)
def test_a_broken_task_costs_only_itself(
    install: Install, caplog: pytest.LogCaptureFixture, source: str | None, said: str
) -> None:
    install("roomtone.tasks", "napping", "toy_broken", source, "Napping")
    window = make.windows(make.recording(7, 2))[4]
    found = Sensing([]).predict(window, ["napping", "presence"], source=Source.LIVE)
    assert (found[0].task, found[0].reason) == ("napping", Reason.MODEL_ERROR)
    assert found[1].value == "occupied"
    assert said in caplog.text


def test_a_built_in_name_cannot_be_taken(install: Install) -> None:
    install("roomtone.tasks", "presence", "toy_thief", TASK.replace("napping", "presence"), "Napping")
    assert task_names().count("presence") == 1
    assert type(task_of("presence")).__name__ == "Presence"
