"""The gate: what counts as evidence, and what is refused with which reason."""

from dataclasses import replace

import numpy as np
import pytest

from models.adapt import adapter
from models.adapt.base import Floats, Rows, Setting
from models.adapt.evidence import GUARD_S, GateRefusal, folds_of
from models.adapt.gate import (
    Predict,
    Score,
    check_better,
    held_out,
    out_of_order,
    score,
    suspects,
)
from tests.adapt import made

CLASSES = ("0", "1", "2")


def samples(each_s: int, *, recordings: int = 1, shift: float = 0.0, seed: int = 0) -> Rows:
    """`recordings` of `each_s` windows of every class, one a second."""
    parts = [
        made.rows("new", each_s, 3, shift=shift, seed=seed + turn, sessions=1) for turn in range(recordings)
    ]
    named = [
        replace(part, session=np.array([f"{name}/{turn}" for name in part.session]))
        for turn, part in enumerate(parts)
    ]
    return made.join(*named)


def learn(rows: Rows) -> Predict:
    head = adapter("head_refit").adapt(Setting(made.rows("A", 40, 3), rows, None, None, 3, ordered=False), 0)
    return head.predict


def judged(rows: Rows) -> Score:
    return score(held_out(learn, rows, folds_of(rows, CLASSES, 4.0), 3), rows, CLASSES, ordered=True)


def test_two_recordings_of_each_class_are_left_out_in_turn() -> None:
    rows = samples(10, recordings=3)
    folds = folds_of(rows, CLASSES, 4.0)
    assert not folds.provisional
    assert len(folds.pairs) == 3
    for known, asked in folds.pairs:
        assert not set(rows.session[known]) & set(rows.session[asked])
        assert set(rows.label[asked]) == {0, 1, 2}


def test_one_recording_is_judged_half_by_half_with_a_guard_and_is_provisional() -> None:
    rows = samples(17)  # 20 s of 4 s windows
    folds = folds_of(rows, CLASSES, 4.0)
    assert folds.provisional
    for known, asked in folds.pairs:
        for one in range(3):
            before, after = (
                rows.start_s[known & (rows.label == one)],
                rows.start_s[asked & (rows.label == one)],
            )
            apart = np.abs(before[:, None] - after[None]).min() - 4.0
            assert apart >= GUARD_S - 1e-6


@pytest.mark.parametrize("seconds", [1, 3, 6])
def test_less_than_two_blocks_of_a_class_is_no_evidence_and_the_class_is_named(seconds: int) -> None:
    long, short = samples(17), samples(seconds)
    rows = made.join(long.take(long.label != 1), short.take(short.label == 1))
    with pytest.raises(GateRefusal, match="1 has less than two separate blocks") as refused:
        folds_of(rows, CLASSES, 4.0)
    assert refused.value.reason == "insufficient_evidence"


def test_what_is_forced_is_split_as_it_is() -> None:
    rows = samples(3)
    folds = folds_of(rows, CLASSES, 4.0, forced=True)
    assert folds.provisional
    assert all(known.any() and asked.any() and not (known & asked).any() for known, asked in folds.pairs)


def test_one_class_alone_is_no_evidence() -> None:
    rows = samples(17)
    for part in (rows.take(rows.label == 1), rows.take(rows.label > 5)):
        with pytest.raises(GateRefusal, match="two classes"):
            folds_of(part, CLASSES, 4.0)


def test_good_samples_pass() -> None:
    good = judged(samples(17, shift=3.0))
    assert good.balanced_accuracy > 0.7
    check_better(good, None, 12)
    bad = Score(good.found, 2.0, 0.66, 1.0, good.by_class)
    check_better(good, bad, 12)
    with pytest.raises(GateRefusal) as refused:
        check_better(bad, good, 12)
    assert refused.value.reason == "not_better"
    with pytest.raises(GateRefusal) as refused:
        check_better(good, good, 12)  # as good is not better
    assert refused.value.reason == "not_better"


def test_labels_drawn_at_random_are_inconsistent() -> None:
    rows = samples(17)
    rng = np.random.default_rng(0)
    mixed = Rows(rows.values, rng.permutation(rows.label), rows.domain, rows.session, rows.start_s)
    with pytest.raises(GateRefusal) as refused:
        check_better(judged(mixed), None, 12)
    assert refused.value.reason == "inconsistent_samples"


def test_a_recording_under_a_wrong_label_is_suspect() -> None:
    rows = samples(17, recordings=3)
    wrong = rows.session == "new/2/0/1"
    label = np.where(wrong, 0, rows.label)
    mixed = Rows(rows.values, label, rows.domain, rows.session, rows.start_s)
    found = held_out(learn, mixed, folds_of(mixed, CLASSES, 4.0), 3)
    assert suspects(found, mixed) == ["new/2/0/1"]
    clean = held_out(learn, rows, folds_of(rows, CLASSES, 4.0), 3)
    assert suspects(clean, rows) == []


def counter(rows: Rows, people: dict[str, int]) -> Floats:
    """A counter that sees so many people in each recording."""
    return np.eye(8)[[people[name] for name in rows.session]]


def test_counts_the_other_way_round_are_found_by_a_counter_of_other_rooms() -> None:
    rows = samples(17)
    names = sorted(np.unique(rows.session))
    right = dict(zip(names, (0, 2, 5), strict=True))
    assert out_of_order(counter(rows, right), rows, 1.0) is None
    swapped = dict(zip(names, (5, 2, 0), strict=True))
    assert out_of_order(counter(rows, swapped), rows, 1.0) == (names[0], names[2])
    near = dict(zip(names, (1, 0, 5), strict=True))
    assert out_of_order(counter(rows, near), rows, 1.0) is None  # it is wrong by one itself
