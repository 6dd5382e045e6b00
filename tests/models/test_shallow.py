"""The shallow pipeline: every choice of steps learns, and its ONNX file says what scikit-learn says."""

import itertools
from typing import ClassVar

import numpy as np
import pytest

from models.data.samples import MASK, Samples, rows
from models.errors import SelectionError
from models.learners import learner
from models.learners.shallow.denoise import kept
from models.learners.shallow.recipe import DENOISERS, HEADS, REDUCERS
from models.runtime import Backbone
from models.signal.inputs import PROFILE
from models.signal.variation import NAMES
from models.signal.variation import VERSION as VARIATION
from models.training.build import Origin, build
from models.training.card_file import to_toml
from models.training.task import task_spec
from models.zoo import ShelvedModel, parse_card

RECIPES = [f"{d}+{r}+{h}" for d, r, h in itertools.product(DENOISERS, REDUCERS, HEADS) if h != "svr"]
ORIGIN = Origin("made-up", "none", "local", ("intel5300",), "made up", "0")


def made(task: str, classes: int, *, streams: int = 4, each: int = 40, metres: bool = False) -> Samples:
    """Two domains in which the class moves some features; places move the profile of every stream."""
    parts = []
    for domain in ("A", "B"):
        rng = np.random.default_rng([classes, ord(domain)])
        label = np.repeat(np.arange(classes), each)
        variation = rng.standard_normal((len(label), streams, len(NAMES))).astype(np.float32)
        variation[..., :4] += 2.5 * label[:, None, None] / (classes - 1)
        profile = 0.3 * rng.standard_normal((len(label), streams, 30))
        profile += np.random.default_rng(1).standard_normal((classes, streams, 30))[label]
        mask = np.ones((len(label), streams), bool)
        inputs = {VARIATION: variation, VARIATION + MASK: mask, PROFILE: profile.astype(np.float32)}
        place = np.stack([label % 2, label // 2], axis=1).astype(float)
        parts.append(
            rows(
                task,
                {**inputs, PROFILE + MASK: mask},
                place if metres else label,
                () if metres else tuple(f"c{n}" for n in range(classes)),
                domain=domain,
                length_s=4.0,
                nics=("intel5300",),
            )
        )
    return Samples.join(parts)


@pytest.mark.parametrize("recipe", RECIPES)
def test_every_recipe_learns_and_its_file_says_the_same(recipe: str) -> None:
    samples = made("presence", 2)
    known, asked = samples.take(samples.domain == "A"), samples.take(samples.domain == "B")
    model = learner(f"shallow:{recipe}").fit(known, 0)
    assert (model.predict(asked.inputs).argmax(axis=1) == asked.label).mean() > 0.8
    check_file(model, asked)


@pytest.mark.parametrize("head", ["svc", "knn", "forest"])
def test_places_by_cell(head: str) -> None:
    samples = made("localization", 5)
    model = learner(f"shallow:lof+pca+{head}").fit(samples.take(samples.domain == "A"), 0)
    asked = samples.take(samples.domain == "B")
    assert (model.predict(asked.inputs).argmax(axis=1) == asked.label).mean() > 0.8
    check_file(model, asked)


@pytest.mark.parametrize("head", ["svr", "knn", "forest"])
def test_places_in_metres(head: str) -> None:
    samples = made("localization", 4, metres=True)
    model = learner(f"shallow:dbscan+pca+{head}").fit(samples.take(samples.domain == "A"), 0)
    asked = samples.take(samples.domain == "B")
    assert np.linalg.norm(model.predict(asked.inputs) - asked.label, axis=1).mean() < 0.4
    check_file(model, asked)


def check_file(model, asked: Samples) -> None:  # type: ignore[no-untyped-def]
    spec = task_spec(asked.task, asked.classes)
    built = build(_Given(model), asked, spec, ORIGIN, name="m", seeds=1)  # type: ignore[arg-type]
    card = parse_card(to_toml(built.card), "card")
    backbone = Backbone(ShelvedModel(card, built.onnx))
    few = {name: value[::7] for name, value in asked.inputs.items()}
    expected = model.logits(few)
    for row, logits in enumerate(expected):
        found = backbone.run(few[model.features][row], few[model.features + MASK][row])[1]
        assert found == pytest.approx(logits, abs=1e-4, rel=1e-4)


class _Given:
    """A learner whose model is there already."""

    NAME = "given"
    CARD: ClassVar[dict[str, str]] = {}
    TASKS = ("presence", "localization")

    def __init__(self, model) -> None:  # type: ignore[no-untyped-def]
        self.model = model

    def fit(self, samples: Samples, seed: int):  # type: ignore[no-untyped-def]
        del samples, seed
        return self.model


@pytest.mark.parametrize("denoiser", ["dbscan", "iforest", "lof"])
def test_outliers_are_left_out_of_training(denoiser: str) -> None:
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.standard_normal((60, 3)), rng.standard_normal((3, 3)) + 25])
    stay = kept(denoiser, values, np.zeros(63, np.int64), 0)
    assert not stay[60:].any()
    assert stay[:60].mean() > 0.8


def test_streams_that_were_not_measured_do_not_count() -> None:
    samples = made("presence", 2)
    model = learner("shallow:none+pca+svc").fit(samples, 0)
    strange = {name: value.copy() for name, value in samples.inputs.items()}
    strange[VARIATION + MASK][:, 3] = False
    before = model.logits(strange)
    strange[VARIATION][:, 3] = 99
    assert np.array_equal(model.logits(strange), before)


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("shallow:magic+pca+svc", "is not DENOISE"),
        ("stream_set:deep", "no learner"),
        ("nothing", "no learner"),
    ],
)
def test_an_unknown_name_says_what_there_is(name: str, why: str) -> None:
    with pytest.raises(SelectionError, match=why):
        learner(name)


def test_a_head_that_does_not_fit_the_labels_is_refused() -> None:
    with pytest.raises(SelectionError, match="does not fit labels"):
        learner("shallow:none+pca+svr").fit(made("presence", 2), 0)
