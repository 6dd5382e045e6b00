"""What two-covariance means and whitened neighbours are for, on made rows."""

from dataclasses import replace

import numpy as np

from models.adapt import adapter
from models.adapt.base import Rows, Setting
from models.adapt.instant.spread import of_few
from tests.adapt import made


def right(name: str, setting: Setting, asked: Rows) -> float:
    return float((adapter(name).adapt(setting, 0).predict(asked.values).argmax(axis=1) == asked.label).mean())


def test_old_rooms_know_better_than_one_row() -> None:
    whole = made.setting(5, each=1)
    unknown = replace(whole, source=replace(whole.source, label=np.full(len(whole.source), -1)))
    asked = made.query(5)
    assert right("two_covariance", whole, asked) > right("two_covariance", unknown, asked)


def test_rows_without_labels_refine_what_one_row_says() -> None:
    with_them = [made.setting(5, each=1, shift=3.0), made.setting(5, each=1, shift=1.0)]
    for one in with_them:
        foreign = replace(one, source=replace(one.source, label=np.full(len(one.source), -1)))
        asked = made.query(5, shift=3.0 if one is with_them[0] else 1.0)
        alone = replace(foreign, unlabelled=None)
        assert right("two_covariance", foreign, asked) >= right("two_covariance", alone, asked)


def test_a_place_may_have_two_states() -> None:
    """Each class is two clouds whose middles all classes share: a mean says nothing, a neighbour does."""
    rng = np.random.default_rng(0)
    whole, asked = made.setting(each=12), made.query()
    state = np.array([[1.0], [-1.0]])
    centre = 6 * rng.standard_normal((3, made.FEATURES))

    def two(rows: Rows) -> Rows:
        sign = state[rng.integers(0, 2, len(rows))]
        noise = rng.standard_normal(rows.values.shape)
        return replace(rows, values=centre[rows.label] * sign + noise)

    assert whole.support is not None
    there = replace(whole, support=two(whole.support), unlabelled=None)
    asked = two(asked)
    assert right("whitened_neighbours", there, asked) > right("two_covariance", there, asked) + 0.2


def test_neighbours_in_time_tell_less_of_a_mean() -> None:
    rng = np.random.default_rng(0)
    drift = np.repeat(rng.standard_normal((20, 4)), 5, axis=0)
    name = np.full(100, "one")
    rows = Rows(drift, np.zeros(100, np.int64), name, name, np.arange(100.0))
    shuffled = replace(rows, start_s=rng.permutation(100).astype(float))
    assert of_few(rows, drift, 5) > 2 * of_few(shuffled, drift, 5)
