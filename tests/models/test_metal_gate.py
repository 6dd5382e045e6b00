"""Two clusters at a gate: they learn, their file says the same, and one heap is not believed to be two."""

import numpy as np
import pytest

from drivers.wire import Source
from models.contract.graph import check_names, read_graph
from models.contract.probe import probe
from models.data.samples import MASK, Samples, rows
from models.errors import SelectionError
from models.learners import learner
from models.learners.gate.clusters import clustered
from models.learners.gate.learner import GateModel
from models.runtime import Backbone
from models.sensing import Sensing
from models.signal.grid import SUBCARRIERS
from models.signal.inputs import PROFILE
from models.training.build import Built, Origin, build
from models.training.card_file import to_toml
from models.training.sources import from_simulation
from models.training.task import task_spec
from models.zoo import ShelvedModel, parse_card

from . import make

ORIGIN = Origin("made-up", "none", "research", ("intel5300",), "made up", "0")
CLASSES = ("metal", "none")


def made(
    *, apart: float = 1.0, each: int = 40, domains: str = "AB", noise: float = 1.0, streams: int = 4
) -> Samples:
    """Stops at one gate on two days: metal adds a pattern of its own to the profile; all else is noise."""
    pattern = np.random.default_rng(9).standard_normal((streams, SUBCARRIERS))
    parts = []
    for number, domain in enumerate(domains):
        rng = np.random.default_rng([number, round(10 * apart)])
        label = np.tile([0, 1], each)
        values = noise * rng.standard_normal((len(label), streams, SUBCARRIERS))
        values += apart * (label == 0)[:, None, None] * pattern
        mask = np.ones((len(label), streams), bool)
        inputs = {PROFILE: values.astype(np.float32), PROFILE + MASK: mask}
        parts.append(
            rows(
                "suspicious_object",
                inputs,
                label,
                CLASSES,
                domain=domain,
                length_s=4.0,
                nics=("intel5300",),
            )
        )
    return Samples.join(parts)


def shipped(samples: Samples) -> Built:
    spec = task_spec(samples.task, samples.classes)
    return build(learner("metal_gate"), samples, spec, ORIGIN, name="gate", seeds=1)


def right(model: GateModel, samples: Samples) -> float:
    return float((model.predict(samples.inputs).argmax(axis=1) == samples.label).mean())


@pytest.mark.parametrize("classes", [("metal", "none"), ("none", "metal")])
def test_it_tells_metal_on_another_day_whatever_the_order_of_classes(classes: tuple[str, ...]) -> None:
    samples = made()
    label = np.array([classes.index(CLASSES[one]) for one in samples.label])
    samples = samples.relabelled(samples.task, label, classes)
    here, there = (samples.take(samples.domain == name) for name in "AB")
    model = learner("metal_gate").fit(here, 0)
    assert model.clusters.doubt == ""
    assert right(model, there) > 0.98


def test_the_cut_looks_at_no_label_of_metal() -> None:
    samples = made(domains="A")
    values = np.random.default_rng(0).standard_normal((80, 4)) + 9 * (samples.label == 0)[:, None]
    few = np.zeros(80, bool)
    few[1:9:2] = True  # four reference rows, the rest unlabelled
    all_of_it, some = (clustered(values, one, 3) for one in (samples.label == 1, few))
    assert np.array_equal(all_of_it.centres, some.centres)


def test_the_sum_of_squared_errors_is_that_of_the_distances() -> None:
    values = np.random.default_rng(0).standard_normal((60, 3))
    values[::2] += 5
    found = clustered(values, np.arange(60) % 2 == 1, 0)
    nearest = found.apart(values).min(axis=1) * found.spread
    assert found.sse == pytest.approx(float(nearest.sum()))
    assert found.spread == pytest.approx(found.sse / 60)
    assert found.apart(values)[1].argmin() == 0  # a reference row is nearest to the first centre


def test_one_heap_is_not_believed_answers_even_and_is_not_exported() -> None:
    samples = made(apart=0.0)
    model = learner("metal_gate").fit(samples, 0)
    assert "one heap" in model.clusters.doubt
    assert np.allclose(model.predict(samples.inputs), 0.5)
    with pytest.raises(SelectionError, match="not none and metal: one heap"):
        shipped(samples)


def test_a_reference_on_both_sides_is_not_believed() -> None:
    samples = made(domains="A")
    half = samples.relabelled(samples.task, np.repeat([0, 1], 40), CLASSES)
    model = learner("metal_gate").fit(half, 0)
    assert "reference rows lie in both" in model.clusters.doubt
    assert np.allclose(model.predict(half.inputs), 0.5)


def test_a_few_outliers_are_no_cluster_of_metal() -> None:
    samples = made(apart=0.0, each=100, domains="A")
    samples.inputs[PROFILE][[0, 2, 4], :2] += 60
    assert "outliers" in learner("metal_gate").fit(samples, 0).clusters.doubt


def test_far_from_both_it_does_not_know() -> None:
    samples = made(domains="A")
    model = learner("metal_gate").fit(samples, 0)
    strange = {name: value[:2].copy() for name, value in samples.inputs.items()}
    sure = model.predict(strange).max(axis=1)
    strange[PROFILE][:, 0] += 1000
    assert (sure > 0.9).all()
    assert (model.predict(strange).max(axis=1) < 0.6).all()


def test_what_all_antennas_share_is_not_looked_at() -> None:
    samples = made(domains="A")
    model = learner("metal_gate").fit(samples, 0)
    before = model.logits(samples.inputs)
    tilt = np.linspace(-3, 3, SUBCARRIERS)
    louder = {PROFILE: samples.inputs[PROFILE] + tilt, PROFILE + MASK: samples.inputs[PROFILE + MASK]}
    assert np.allclose(model.logits(louder), before, atol=1e-4)


def test_streams_that_are_not_measured_do_not_count() -> None:
    samples = made(domains="A")
    model = learner("metal_gate").fit(samples, 0)
    hidden = {name: value.copy() for name, value in samples.inputs.items()}
    hidden[PROFILE + MASK][:, 2] = False
    before = model.logits(hidden)
    hidden[PROFILE][:, 2] = 77
    assert np.array_equal(model.logits(hidden), before)


def test_its_file_says_the_same_and_keeps_the_contract() -> None:
    samples = made()
    built = shipped(samples)
    card = parse_card(to_toml(built.card), "gate")
    assert built.card["metrics"]["accuracy"]["mean"] > 0.98
    assert card.document["experimental"] is True
    assert card.document["subject"].startswith("static")
    few = {name: value[:6].copy() for name, value in samples.inputs.items()}
    few[PROFILE + MASK][:2, 1] = False
    backbone = Backbone(ShelvedModel(card, built.onnx))
    for row, expected in enumerate(built.model.logits(few)):
        found = backbone.run(few[PROFILE][row], few[PROFILE + MASK][row])[1]
        assert found == pytest.approx(expected, abs=1e-4)
    shapes = check_names(read_graph(built.onnx), card)
    assert probe(ShelvedModel(card, built.onnx), shapes).streams


def test_the_same_seed_gives_the_same_file() -> None:
    first, second = (learner("metal_gate").fit(made(), 1).to_onnx("m") for _ in range(2))
    assert first == second


def test_the_worker_runs_it_on_windows() -> None:
    built = shipped(made(streams=6))
    model = ShelvedModel(parse_card(to_toml(built.card), "gate"), built.onnx)
    window = make.windows(make.recording(7, 2))[4]
    found = Sensing([Backbone(model)]).predict(window, ["suspicious_object"], source=Source.LIVE)[0]
    assert found.reason is None, found
    assert found.value in CLASSES
    assert found.model is not None
    assert found.model.name == "gate"
    assert sum(found.extras["probabilities"].values()) == pytest.approx(1, abs=1e-3)  # type: ignore[union-attr,arg-type]


def test_it_learns_a_simulated_gate_as_it_is_trained_from_the_command_line() -> None:
    who = learner("metal_gate")
    samples, origin = from_simulation(
        "suspicious_object", 2, "open", lambda _what, _share: None, inputs=who.INPUTS, standing=who.STANDING
    )
    spec = task_spec(samples.task, samples.classes)
    built = build(who, samples, spec, origin, name="gate", seeds=1)
    assert built.card["trained_on"] == "simulation"
    assert "one simulated gate" in built.card["data"]["description"]
    assert built.card["metrics"]["accuracy"]["mean"] > 0.8


def take(samples: Samples, label: int) -> Samples:
    return samples.take(samples.label == label)


@pytest.mark.parametrize(
    ("samples", "why"),
    [
        (made().take(np.zeros(160, bool)), "needs rows; there are none"),
        (take(made(), 0), "no reference: none of 80 rows is labelled none"),
        (take(made(), 1), "all 80 rows are of one class, none"),
        (made(each=2, domains="A"), "two clusters of 4 rows mean nothing"),
        (made(apart=0.0, noise=0.0), "all 160 rows are alike"),
        (made(streams=1), "one stream"),
        (made().relabelled("suspicious_object", made().label, ("metal", "wood")), "must be labelled 'none'"),
        (
            made().relabelled("suspicious_object", made().label, ("metal", "none", "liquid")),
            "leave the others out",
        ),
    ],
)
def test_rows_that_cannot_be_learned_from_are_refused(samples: Samples, why: str) -> None:
    with pytest.raises(SelectionError, match=why):
        learner("metal_gate").fit(samples, 0)
