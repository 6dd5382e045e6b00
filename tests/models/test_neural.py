"""Networks on windows: each learns, its file says what torch says, and the worker can run it."""

from functools import cache

import numpy as np
import pytest
import torch

from drivers.wire import Source
from models.data.samples import MASK, Samples, rows
from models.errors import SelectionError
from models.learners import learner, neural
from models.learners.neural import SHAPES
from models.runtime import Backbone
from models.sensing import Sensing
from models.signal.inputs import AMPLITUDE, PROFILE
from models.signal.variation import VERSION as VARIATION
from models.training.build import Built, Origin, build
from models.training.card_file import to_toml
from models.training.task import task_spec
from models.zoo import ShelvedModel, parse_card

from . import make

ORIGIN = Origin("made-up", "none", "research", ("intel5300",), "made up", "0")
CASES = {
    "counting_dnn": ("counting", VARIATION),
    "fingerprint_dnn": ("localization", PROFILE),
    "fingerprint_cnn": ("localization", PROFILE),
    "cnn_bilstm": ("activity", AMPLITUDE),
    "object_cnn": ("suspicious_object", AMPLITUDE),
}


def pattern(name: str, label: np.ndarray, streams: int, rng: np.random.Generator) -> np.ndarray:
    """What the class adds to a row: how fast it goes up and down, how much it varies, or a profile."""
    if name == AMPLITUDE:
        phase = rng.uniform(0, 2 * np.pi, (len(label), streams, 1, 1))
        cycles = np.array([1.0, 5.0, 15.0])[label][:, None, None, None]
        return np.asarray(2 * np.sin(2 * np.pi * cycles * np.linspace(0, 1, SHAPES[name][1]) + phase))
    if name == VARIATION:
        return np.asarray(2.0 * label[:, None, None] * np.ones((1, streams, 1)))
    return np.asarray(np.random.default_rng(3).standard_normal((3, streams, *SHAPES[name]))[label])


def made(task: str, name: str, *, streams: int = 6, each: int = 20, classes: int = 3) -> Samples:
    """Two domains in which each class adds something of its own to every row."""
    parts = []
    for domain in ("A", "B"):
        rng = np.random.default_rng(ord(domain))
        label = np.tile(np.arange(classes), each)
        values = rng.standard_normal((len(label), streams, *SHAPES[name]))
        values = values + pattern(name, label, streams, rng)
        mask = np.ones((len(label), streams), bool)
        inputs = {name: values.astype(np.float32), name + MASK: mask}
        named = tuple(str(n) for n in range(classes))
        parts.append(rows(task, inputs, label, named, domain=domain, length_s=4.0, nics=("intel5300",)))
    return Samples.join(parts)


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> str:
    torch.set_num_threads(1)
    return str(request.param)


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neural, "EPOCHS", 25)


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch, short: None) -> None:
    """For what holds however little was learned."""
    monkeypatch.setattr(neural, "EPOCHS", 2)


def test_it_learns_and_its_file_says_the_same(case: str) -> None:
    name = CASES[case][1]
    samples, built = taught(case)
    assert built.card["metrics"]["accuracy"]["mean"] > 0.7  # each domain by a model of the other
    assert built.curve.training
    assert len(built.onnx) < 1_000_000
    few = {key: value[:4].copy() for key, value in samples.inputs.items()}
    few[name + MASK][:2, 1] = False  # not measured in two of them
    if not learner(case).FIXED:  # type: ignore[attr-defined]
        few = {key: value[:, :3] for key, value in few.items()}
    backbone = Backbone(ShelvedModel(parse_card(to_toml(built.card), case), built.onnx))
    for row, expected in enumerate(built.model.logits(few)):
        found = backbone.run(few[name][row], few[name + MASK][row])[1]
        assert found == pytest.approx(expected, abs=1e-4)


@cache
def taught(case: str) -> tuple[Samples, Built]:
    """Rows, and what is shipped after learning from them."""
    task, name = CASES[case]
    samples = made(task, name, each=8 if name == AMPLITUDE else 20)  # long rows, and easy ones
    spec = task_spec(samples.task, samples.classes)
    return samples, build(learner(case), samples, spec, ORIGIN, name=case, seeds=1)


@pytest.mark.usefixtures("hasty")
def test_the_same_seed_gives_the_same_file(case: str) -> None:
    task, name = CASES[case]
    samples = made(task, name, each=4)
    first, second = (learner(case).fit(samples, 1).to_onnx("m") for _ in range(2))
    assert first == second
    assert b"site-packages" not in first  # no path of the machine that exported it


@pytest.mark.usefixtures("hasty")
def test_streams_that_are_not_measured_do_not_count(case: str) -> None:
    task, name = CASES[case]
    samples = made(task, name, each=4)
    model = learner(case).fit(samples, 0)
    hidden = {key: value.copy() for key, value in samples.inputs.items()}
    hidden[name + MASK][:, 2] = False
    before = model.logits(hidden)
    hidden[name][:, 2] = 77
    assert np.allclose(model.logits(hidden), before, atol=1e-6)


def test_the_worker_runs_it_on_windows(case: str) -> None:
    task, built = CASES[case][0], taught(case)[1]
    model = ShelvedModel(parse_card(to_toml(built.card), case), built.onnx)
    found = Sensing([Backbone(model)]).predict(
        make.windows(make.recording(7, 2))[4], [task], source=Source.LIVE
    )[0]
    assert found.reason is None, found
    assert found.model is not None
    assert found.model.name == case


@pytest.mark.parametrize(
    ("harm", "why"),
    [
        ("nan", "amplitudes that are no number, the first in session"),
        ("shape", "is asked for"),
        ("one class", "all 12 rows are of one class, 0"),
        ("no stream", "no stream of amplitude-1 is measured"),
    ],
)
def test_rows_that_cannot_be_learned_from_are_refused(harm: str, why: str) -> None:
    samples = made("activity", AMPLITUDE, each=2)
    if harm == "nan":
        samples.inputs[AMPLITUDE][3, 0, 0, 0] = np.nan
    if harm == "shape":
        samples = samples.take(np.arange(12))
        samples.inputs[AMPLITUDE] = samples.inputs[AMPLITUDE][:, :, :9]  # type: ignore[index]
    if harm == "one class":
        samples = samples.relabelled("activity", samples.label * 0, samples.classes)
    if harm == "no stream":
        samples.inputs[AMPLITUDE + MASK][:] = False
    with pytest.raises(SelectionError, match=why):
        learner("cnn_bilstm").fit(samples, 0)
