"""Bins of crossing and entry: simulated truth, what marks are worth, network and file, the simple way."""

import numpy as np
import pytest
import torch

from drivers.simulate.cast import Role
from drivers.simulate.script import Script
from models.data import crossings as made_of
from models.data.crossings import ENTRY_S, crossings, entries
from models.data.samples import MASK, Samples, rows
from models.errors import DatasetError, SelectionError
from models.learners import learner
from models.learners.crossing import learner as crossing
from models.learners.crossing.fit import Recipe
from models.learners.crossing.marks import best_threshold, bin_f1, segment_iou, segments
from models.learners.crossing.motion import MotionBins
from models.networks.unet import TemporalUnet
from models.signal.inputs import AMPLITUDE, BANDS, TIME_BINS

from .nets import file_says

BIN_S = 4.0 / TIME_BINS


def dips(seed: int, *, domains: int = 4, each: int = 12, streams: int = 3) -> Samples:
    """Noise, and in half of the rows a stretch in which every band is a little lower: the mark."""
    rng, parts = np.random.default_rng(seed), []
    for domain in range(domains):
        values = rng.standard_normal((each, streams, BANDS, TIME_BINS))
        label = np.zeros((each, TIME_BINS))
        for row in range(0, each, 2):
            first = int(rng.integers(5, 70))
            label[row, first : first + 20] = 1
        values -= 1.5 * label[:, None, None]
        inputs = {AMPLITUDE: values.astype(np.float32), AMPLITUDE + MASK: np.ones((each, streams), bool)}
        parts.append(rows("crossing", inputs, label, (), domain=f"{seed}-{domain}", length_s=4.0))
    return Samples.join(parts)


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    torch.set_num_threads(1)
    monkeypatch.setattr(crossing, "RECIPE", Recipe(epochs=2, batch=8))


def fitted(samples: Samples, seed: int = 0) -> crossing.BinModel:
    model = learner("temporal_unet").fit(samples, seed)
    assert isinstance(model, crossing.BinModel)
    return model


def test_it_learns_to_mark_bins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crossing, "RECIPE", Recipe(epochs=20, batch=8))
    model, asked = fitted(dips(1)), dips(2)
    truth, found = asked.label > 0.5, model.predict(asked.inputs)
    always = bin_f1(np.ones_like(truth), truth)
    assert bin_f1(found >= model.threshold, truth) > 0.8 > 2 * always
    assert segment_iou(found >= model.threshold, truth) > 0.5
    assert model.curve.validation[-1] < model.curve.validation[0]


def test_its_file_says_what_torch_says_and_is_the_same_for_the_same_seed() -> None:
    samples = dips(1, each=4)
    first, again = (fitted(samples, 3) for _ in range(2))
    file = first.to_onnx("crossing")
    assert file == again.to_onnx("crossing")
    assert b"site-packages" not in file
    asked = dips(2, domains=1, each=4, streams=5)  # the file takes any number of streams
    asked.inputs[AMPLITUDE + MASK][:2, 1] = False
    found = file_says(file, asked.inputs, AMPLITUDE)
    assert found.shape == (4, TIME_BINS)
    assert np.abs(found - first.logits(asked.inputs)).max() < 1e-4


def test_streams_that_are_not_measured_do_not_count() -> None:
    model, asked = fitted(dips(1, each=4)), dips(2, domains=1, each=4)
    asked.inputs[AMPLITUDE + MASK][:, 2] = False
    before = model.logits(asked.inputs)
    asked.inputs[AMPLITUDE][:, 2] = 77
    assert np.allclose(model.logits(asked.inputs), before, atol=1e-5)


@pytest.mark.parametrize(
    ("harm", "why"),
    [
        ("nan", "amplitudes that are no number, the first in session"),
        ("shape", "is asked for"),
        ("no stream", "no stream of amplitude-1 is measured"),
        ("unmarked", "all bins of all 8 rows are unmarked"),
        ("marked", "all bins of all 8 rows are marked"),
        ("label", r"needs labels \(100,\) of each row without classes, not \(\)"),
        ("no label", "a bin's label is 0 or 1; bin 7 of row 2 has nan"),
    ],
)
def test_rows_that_cannot_be_learned_from_are_refused(harm: str, why: str) -> None:
    samples = dips(1, domains=2, each=4)
    inputs, label = dict(samples.inputs), samples.label.copy()
    if harm == "nan":
        inputs[AMPLITUDE][3, 0, 0, 0] = np.nan
    if harm == "shape":
        inputs[AMPLITUDE] = inputs[AMPLITUDE][:, :, :9]
    if harm == "no stream":
        inputs[AMPLITUDE + MASK][:] = False
    if harm in ("unmarked", "marked"):
        label[:] = harm == "marked"
    if harm == "label":
        label = np.zeros(8, np.int64)
    if harm == "no label":
        label[2, 7] = np.nan
    with pytest.raises(SelectionError, match=why):
        learner("temporal_unet").fit(rows("crossing", inputs, label, (), domain="a"), 0)


def test_rows_that_are_all_marked_alike_can_be_learned() -> None:
    samples = dips(1, domains=2, each=4)
    samples.label[:] = np.arange(TIME_BINS) < 30
    assert fitted(samples).predict(samples.inputs).shape == (8, TIME_BINS)


def test_a_network_needs_bins_that_it_can_halve() -> None:
    with pytest.raises(ValueError, match="90 bins of time are no multiple of 20"):
        TemporalUnet(BANDS, 90)


def test_what_marks_are_worth() -> None:
    truth = np.zeros((2, 10), bool)
    truth[0, 2:6] = True
    found = np.zeros((2, 10), bool)
    assert segments(truth[0]) == [(2, 6)]
    assert bin_f1(found, truth) == segment_iou(found, truth) == 0
    found[0, 4:8] = True
    assert bin_f1(found, truth) == 0.5
    assert segment_iou(found, truth) == pytest.approx(2 / 6)
    found[1, 0:2] = True  # a false alarm costs
    assert segment_iou(found, truth) == pytest.approx(1 / 6)
    assert bin_f1(truth[1], truth[1]) == segment_iou(truth[1:], truth[1:]) == 1  # nothing, and nothing found
    assert 2 < best_threshold(np.array([[1.0, 2, 3, 4]]), np.array([[False, False, True, True]])) <= 3


def test_motion_is_found_where_it_is() -> None:
    samples = dips(1)
    moving = samples.label[:, None, None] * np.random.default_rng(5).standard_normal((1, 3, BANDS, TIME_BINS))
    samples.inputs[AMPLITUDE][:] = 0.1 * samples.inputs[AMPLITUDE] + moving
    simple = MotionBins(samples)
    assert bin_f1(simple.predict(samples.inputs) >= simple.threshold, samples.label > 0.5) > 0.8


def test_simulated_crossings_are_marked_while_somebody_is_on_the_line() -> None:
    samples = crossings(2, seed=3, walks=4)
    lengths = [last - first for row in samples.label > 0.5 for first, last in segments(row)]
    assert samples.label.shape == (len(samples), TIME_BINS)
    assert 0 < samples.label.mean() < 0.3
    assert max(lengths) * BIN_S < 2.0  # one metre at 0.7 m/s or more
    assert len(set(samples.domain.tolist())) == 2
    again = crossings(1, seed=3, walks=4)
    here = samples.take(samples.domain == samples.domain[0])
    assert np.array_equal(again.label, here.label)
    assert np.array_equal(again.inputs[AMPLITUDE], here.inputs[AMPLITUDE])


def test_simulated_entries_are_marked_for_as_long_as_they_are_said_to_last() -> None:
    samples = entries(1, seed=3, spans=6)
    lengths = [last - first for row in samples.label > 0.5 for first, last in segments(row)]
    assert max(lengths) == pytest.approx(ENTRY_S / BIN_S, abs=1)
    assert not samples.label[0, 0]  # the room is empty at first


@pytest.mark.parametrize(("ends", "turns"), [((0.4, 6.0), (0.7, 2.0)), ((6.0, 0.4), (4.0, 5.3))])
def test_who_turns_back_is_as_fast_and_stays_off_the_line(
    ends: tuple[float, float], turns: tuple[float, float]
) -> None:
    stops = ((ends[0], 1.0), (ends[1], 1.2))
    role = Role(Script.of([(5.6, "walking")], from_s=3.0), stops=stops)
    back = made_of._shy(role, np.array([2.9, 3.0]), np.random.default_rng(1))
    turn = back.stops[1][0]
    assert back.stops[0] == back.stops[2] == stops[0]
    assert turns[0] < turn < turns[1]
    first = back.script.acts[0]
    assert abs(turn - ends[0]) / (first.to_s - first.from_s) == pytest.approx(1.0)  # 5.6 m in 5.6 s


@pytest.mark.parametrize("made", [crossings, entries])
def test_no_room_is_nothing(made: object) -> None:
    with pytest.raises(DatasetError, match="0 simulated rooms"):
        made(0, seed=1)  # type: ignore[operator]
