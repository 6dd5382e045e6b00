import numpy as np
import pytest

from models.tasks.ordinal import class_probabilities, deviation, expectation, interval, median


def test_probabilities_sum_to_one_even_for_a_head_out_of_order() -> None:
    found = class_probabilities(np.array([[2.0, 0.0, -2.0], [-1.0, 3.0, 0.0]]))
    assert found.sum(axis=1) == pytest.approx([1, 1])
    assert (found >= 0).all()
    assert found[0] == pytest.approx([0.1192, 0.3808, 0.3808, 0.1192], abs=1e-4)


def test_temperature_flattens() -> None:
    logits = np.array([3.0, 1.0, -3.0])
    assert deviation(class_probabilities(logits, 4.0)) > deviation(class_probabilities(logits))


def test_median_expectation_and_deviation() -> None:
    share = np.array([0.1, 0.2, 0.3, 0.4])
    assert median(share) == 2
    assert expectation(share) == pytest.approx(2.0)
    assert deviation(share) == pytest.approx(1.0)


@pytest.mark.parametrize("width", [0.0, 0.5, 2.0, 50.0])
def test_an_interval_holds_the_median_and_stays_in_range(width: float) -> None:
    rng = np.random.default_rng(0)
    share = rng.dirichlet(np.full(8, 0.4), 200)
    low, high = interval(share, width)
    assert (low <= median(share)).all()
    assert (median(share) <= high).all()
    assert (low >= 0).all()
    assert (high <= 7).all()
