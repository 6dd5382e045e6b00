"""What each instant method adds is what it says."""

from dataclasses import replace

import numpy as np
import pytest

from models.adapt import adapter
from models.adapt.base import ELSEWHERE, Rows
from models.adapt.head import MOST_BYTES, RoomHead
from models.adapt.instant.metric_head import MetricHead
from models.adapt.instant.neighbours import Neighbours
from models.errors import SelectionError
from tests.adapt import made


def right(head: RoomHead, asked: Rows) -> float:
    return float((head.predict(asked.values).argmax(axis=1) == asked.label).mean())


def with_noise(rows: Rows, size: float, seed: int) -> Rows:
    """The same with as many columns more that say nothing, louder than all others."""
    noise = np.random.default_rng(seed).standard_normal((len(rows), 40)) * size
    return replace(rows, values=np.concatenate([rows.values, noise], axis=1))


def test_a_metric_of_old_rooms_does_not_mind_columns_that_say_nothing() -> None:
    whole, asked = made.setting(each=3), with_noise(made.query(), 3.0, 9)
    assert whole.support is not None
    noisy = replace(
        whole,
        source=with_noise(whole.source, 3.0, 7),
        support=with_noise(whole.support, 3.0, 8),
        unlabelled=None,
    )
    assert right(MetricHead().adapt(noisy, 0), asked) > right(Neighbours().adapt(noisy, 0), asked) + 0.1


def test_a_metric_needs_old_rooms_but_not_the_room_s_own_classes_in_them() -> None:
    whole = made.setting()
    nowhere = whole.source.take(np.zeros(len(whole.source), np.bool_))
    with pytest.raises(SelectionError, match="old rooms"):
        MetricHead().adapt(replace(whole, source=nowhere), 0)
    elsewhere = np.full(len(whole.source), ELSEWHERE)
    names = np.char.add("site ", whole.source.label.astype(str))
    foreign = replace(whole, source=replace(whole.source, label=elsewhere, domain=names))
    assert right(MetricHead().adapt(foreign, 0), made.query()) > 0.7


def test_neighbours_follow_a_class_of_two_clouds_where_means_cannot() -> None:
    rng = np.random.default_rng(0)
    centre = np.array([[-4.0, 0], [4, 0], [0, 0]])[np.arange(60) % 3]
    label = np.array([0, 0, 1])[np.arange(60) % 3]
    values = centre + 0.5 * rng.standard_normal((60, 2))
    names = np.full(60, "new")
    rows = Rows(values, label, names, names, np.arange(60.0))
    known, asked = rows.take(np.arange(30)), rows.take(np.arange(30, 60))
    whole = replace(made.setting(2), source=known, support=known, unlabelled=None, bridge=None)
    assert right(Neighbours().adapt(whole, 0), asked) == 1
    assert right(adapter("prototype").adapt(whole, 0), asked) < 0.9


def test_more_rows_than_a_head_holds_are_thinned_evenly() -> None:
    whole = made.setting(each=4000)
    head = Neighbours().adapt(whole, 0)
    assert head.nbytes <= MOST_BYTES
    count = np.bincount(head.bias.astype(int))
    assert count.max() - count.min() <= 1
    assert right(head, made.query()) > 0.8


def test_counts_that_nobody_showed_lie_on_the_curve_between_those_that_were() -> None:
    label = np.repeat(np.array([0, 1, 2, 4, 5, 6]), 8)
    asked = np.full(40, 3)
    rng = np.random.default_rng(0)

    def rows(label: np.ndarray) -> Rows:
        values = np.log1p(label)[:, None] * np.ones(6) * 6 + 0.5 * rng.standard_normal((len(label), 6))
        names = np.full(len(label), "new")
        return Rows(values, label.astype(np.int64), names, names, np.arange(len(label), dtype=float))

    known = rows(label)
    whole = replace(made.setting(7, ordered=True), source=known, support=known, unlabelled=None, bridge=None)
    assert right(adapter("ordinal_refit").adapt(whole, 0), rows(asked)) > 0.6
    assert right(adapter("head_refit").adapt(whole, 0), rows(asked)) == 0


@pytest.mark.parametrize("name", ["standardise", "coral"])
def test_without_labels_a_room_of_other_gain_and_offset_is_told(name: str) -> None:
    whole, asked = made.setting(shift=0.0), made.query(shift=0.0)
    assert whole.unlabelled is not None
    other = replace(whole, support=None, unlabelled=whole.unlabelled * 3 + 20)
    seen = replace(asked, values=asked.values * 3 + 20)
    assert right(adapter(name).adapt(other, 0), seen) > 0.8


def test_counts_that_follow_no_curve_keep_means_of_their_own() -> None:
    bent, free = made.setting(7, ordered=True, each=12), made.setting(7, ordered=False, each=12)
    asked = made.query(7)
    as_counts, as_names = (right(adapter("ordinal_refit").adapt(one, 0), asked) for one in (bent, free))
    assert as_counts > as_names - 0.02
    assert as_names > 0.8


def test_few_rows_of_counts_on_a_curve_are_told_better_together() -> None:
    rng = np.random.default_rng(3)
    towards = rng.standard_normal(12) * 2

    def rows(each: int, room: str) -> Rows:
        label = np.repeat(np.arange(8), each)
        values = np.log1p(label)[:, None] * towards + rng.standard_normal((len(label), 12))
        names = np.full(len(label), room)
        return Rows(values, label, names, names, np.tile(np.arange(each, dtype=float), 8))

    asked, won = rows(200, "new"), []
    for _ in range(5):
        whole = replace(
            made.setting(8, ordered=True),
            source=rows(40, "old"),
            support=rows(2, "new"),
            unlabelled=None,
            bridge=None,
        )
        plain = replace(whole, ordered=False)
        won.append([right(adapter("ordinal_refit").adapt(one, 0), asked) for one in (whole, plain)])
    assert np.mean(won, axis=0)[0] > np.mean(won, axis=0)[1] + 0.03
