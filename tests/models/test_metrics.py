import numpy as np
import pytest

from models.tasks.ordinal import class_probabilities, interval
from models.training.calibrate import interval_width, temperature
from models.training.judge import decide, spans
from models.training.metrics import calibration_error, confusion, counting_metrics, presence_metrics

from .test_selection import samples


def test_presence_is_balanced_over_classes() -> None:
    share = np.array([[0.9, 0.1]] * 2 + [[0.1, 0.9]] * 8)
    labels = np.array([0, 1, *[1] * 8])
    found = presence_metrics(share, labels)
    assert found["balanced_accuracy"] == pytest.approx((1 + 8 / 9) / 2)
    assert found["accuracy"] == pytest.approx(0.9)
    assert found["ece"] == pytest.approx(0.0, abs=1e-9)


def test_counting_metrics() -> None:
    share = np.eye(4)[[0, 1, 2, 3]]
    found = counting_metrics(share, np.array([0, 1, 3, 1]))
    assert found["accuracy"] == 0.5
    assert found["within_1"] == 0.75
    assert found["mae"] == pytest.approx(0.75)


def test_calibration_error_is_the_gap() -> None:
    assert calibration_error(np.full(100, 0.95), np.arange(100) < 60) == pytest.approx(0.35)


def test_confusion_counts_pairs() -> None:
    assert confusion(np.array([0, 1, 1]), np.array([0, 0, 1]), 2) == [[1, 1], [0, 1]]


def test_a_decision_averages_the_windows_wholly_inside_it() -> None:
    held = samples(("A",), seconds=12, classes=1)
    units = spans(held, 8.0)
    assert [len(rows) for rows in units] == [5] * 5
    share = np.stack([np.arange(len(held)), -np.arange(len(held))], axis=1).astype(float)
    assert decide(share, units)[:, 0].tolist() == [2, 3, 4, 5, 6]
    assert len(spans(held, 4.0)) == len(held)


def test_calibration_on_held_out_domains_covers_them() -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(8), 60)
    domain = np.tile(np.repeat(["A", "B"], 30), 8)
    centre = labels + rng.normal(0, 1.2, len(labels)) + np.where(domain == "A", 0.5, -0.5)
    logits = 6 * (centre[:, None] - (np.arange(7) + 0.5))  # far too sure of itself
    heat = temperature(logits, labels)
    assert heat > 2
    share = class_probabilities(logits, heat)
    low, high = interval(share, interval_width(share, labels, domain))
    held = (low <= labels) & (labels <= high)
    assert min(held[domain == "A"].mean(), held[domain == "B"].mean()) >= 0.9
    assert held.mean() < 1
