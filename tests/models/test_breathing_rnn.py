"""Classes of breathing rate: simulated windows, the network, its file, and the spectral peak beside it."""

import numpy as np
import pytest
import torch

from models.data.breaths import CLASSES, RATE_HZ, SERIES, STEPS, breath_class, breaths
from models.data.samples import MASK, Samples, rows
from models.errors import DatasetError, SelectionError
from models.learners import learner
from models.learners.breathing import learner as breathing
from models.learners.breathing.peak import PeakModel, balanced_accuracy, peaks
from models.signal.inputs import BANDS

from .nets import file_says

RATES = (None, 9.0, 16.0, 25.0)
"""One a class."""


def chests(seed: int, *, domains: int = 4, each: int = 16, streams: int = 2) -> Samples:
    """Noise, and on top a sine of the class's rate with another phase in every stream."""
    rng, parts, time_s = np.random.default_rng(seed), [], np.arange(STEPS) / RATE_HZ
    for domain in range(domains):
        label = np.arange(each) % len(CLASSES)
        hz = np.array([(rate or 0.0) / 60 for rate in RATES])[label]
        phase = rng.uniform(0, 2 * np.pi, (each, streams, 1, 1))
        wave = np.sin(2 * np.pi * hz[:, None, None, None] * time_s + phase) * (label > 0)[:, None, None, None]
        values = 0.01 * (wave + 0.3 * rng.standard_normal((each, streams, BANDS, STEPS)))
        inputs = {SERIES: values.astype(np.float32), SERIES + MASK: np.ones((each, streams), bool)}
        parts.append(rows("breathing", inputs, label, CLASSES, domain=f"{seed}-{domain}", length_s=30.0))
    return Samples.join(parts)


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.set_num_threads(1)
    monkeypatch.setattr(breathing, "EPOCHS", 40)


def test_it_learns_to_tell_rates() -> None:
    model, asked = learner("cnn_rnn").fit(chests(1), 0), chests(2)
    found = model.predict(asked.inputs)
    assert np.allclose(found.sum(axis=1), 1)
    assert balanced_accuracy(found.argmax(axis=1), asked.label) > 0.7  # a guess: 0.25
    assert model.curve.validation[-1] < model.curve.validation[0]


def test_its_file_says_what_torch_says_and_is_the_same_for_the_same_seed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(breathing, "EPOCHS", 2)
    samples = chests(1, each=4)
    first, again = (learner("cnn_rnn").fit(samples, 3) for _ in range(2))
    file = first.to_onnx("breathing")
    assert file == again.to_onnx("breathing")
    assert b"site-packages" not in file
    asked = chests(2, domains=1, each=4, streams=5)  # the file takes any number of streams
    asked.inputs[SERIES + MASK][:2, 1] = False
    asked.inputs[SERIES][0, 0] = 0  # a stream in which nothing varies
    found = file_says(file, asked.inputs, SERIES)
    assert found.shape == (4, len(CLASSES))
    assert np.isfinite(found).all()
    assert np.abs(found - first.logits(asked.inputs)).max() < 1e-4
    before = first.logits(asked.inputs)[:2]
    asked.inputs[SERIES][:2, 1] = 77  # not measured there
    assert np.allclose(first.logits(asked.inputs)[:2], before, atol=1e-5)


@pytest.mark.parametrize(
    ("harm", "why"),
    [
        ("nan", "amplitudes that are no number, the first in session"),
        ("shape", r"is \(10, 100\) a stream, \(10, 150\) is asked for"),
        ("one class", "all 8 rows are of one class, none"),
        ("no stream", "no stream of breathing-series-1 is measured"),
        ("no input", "these rows hold no breathing-series-1"),
    ],
)
def test_rows_that_cannot_be_learned_from_are_refused(harm: str, why: str) -> None:
    samples = chests(1, domains=2, each=4)
    inputs, label = dict(samples.inputs), samples.label
    if harm == "nan":
        inputs[SERIES][3, 0, 0, 0] = np.nan
    if harm == "shape":
        inputs[SERIES] = inputs[SERIES][..., :100]
    if harm == "one class":
        label = label * 0
    if harm == "no stream":
        inputs[SERIES + MASK][:] = False
    if harm == "no input":
        del inputs[SERIES]
    with pytest.raises(SelectionError, match=why):
        learner("cnn_rnn").fit(rows("breathing", inputs, label, CLASSES, domain="a"), 0)


def test_the_peak_is_at_the_rate() -> None:
    samples = chests(3)
    rates, shares = peaks(samples.inputs)
    wanted = np.array([rate or 0.0 for rate in RATES])[samples.label]
    breathing_rows = samples.label > 0
    assert np.abs(rates - wanted)[breathing_rows].max() < 1.0  # breaths a minute
    assert shares[breathing_rows].min() > shares[~breathing_rows].max()
    found = PeakModel(samples).predict(chests(4).inputs).argmax(axis=1)
    assert balanced_accuracy(found, chests(4).label) > 0.95


def test_classes_of_rates() -> None:
    assert [CLASSES[breath_class(rate)] for rate in RATES] == ["none", "slow", "normal", "fast"]
    assert [breath_class(rate) for rate in (11.9, 12.0, 20.0, 20.1)] == [1, 2, 2, 3]


def test_simulated_windows_hold_the_rate_that_they_are_labelled_with() -> None:
    samples = breaths(1, seed=3, people=6, empty=2)
    assert samples.inputs[SERIES].shape == (8, samples.inputs[SERIES].shape[1], BANDS, STEPS)
    assert np.isfinite(samples.inputs[SERIES]).all()
    assert (samples.label > 0).tolist() == [True] * 6 + [False] * 2
    found, shares = peaks(samples.inputs)
    there = samples.label > 0
    assert shares[there].mean() > shares[~there].mean()
    told = np.array([breath_class(rate) for rate in found[there]])
    assert (told == samples.label[there]).mean() > 0.6  # a guess among three: 0.33
    again = breaths(1, seed=3, people=1, empty=0)
    assert np.array_equal(again.inputs[SERIES][0], samples.inputs[SERIES][0])


def test_nothing_asked_for_is_nothing() -> None:
    with pytest.raises(DatasetError, match="hold nothing"):
        breaths(0, seed=1)
