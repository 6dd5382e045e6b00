"""The rule of auto: what is held out, who is kept, ties, time, and that the same is kept again."""

from dataclasses import replace

import numpy as np
import pytest

from models.adapt.auto import able, auto, in_order
from models.adapt.base import Floats, Rows
from models.adapt.choice import PARTS, TIE, UNTRIED, Answer, choose, kept_of, parts_of
from models.adapt.evidence import Mask
from models.errors import SelectionError
from tests.adapt import made


def support(each: int = 17, classes: int = 3, sessions: int = 1) -> Rows:
    return made.rows("new", each, classes, seed=1, sessions=sessions)


def knows(rows: Rows, sure: float, classes: int = 3) -> Answer:
    """Answers right with this probability, whatever it is taught."""

    def answer(known: Mask, asked: Mask) -> Floats:
        del known
        found = np.full((int(asked.sum()), classes), (1 - sure) / (classes - 1))
        found[np.arange(len(found)), rows.label[asked]] = sure
        return found

    return answer


def mistaken(rows: Rows, share: float) -> Answer:
    """Sure, and wrong in this share of rows."""
    right = knows(rows, 0.9)

    def answer(known: Mask, asked: Mask) -> Floats:
        found = right(known, asked)
        wrong = np.random.default_rng(0).random(len(found)) < share
        found[wrong] = np.roll(found[wrong], 1, axis=1)
        return found

    return answer


def test_one_recording_a_class_is_parted_in_stretches_that_share_no_frames() -> None:
    rows = support()
    parts = parts_of(rows, 4.0)
    assert parts is not None
    assert len(parts.pairs) == PARTS
    assert (np.sum([asked for _, asked in parts.pairs], axis=0) == 1).all()
    for known, asked in parts.pairs:
        for one in range(3):
            apart = (
                rows.start_s[known & (rows.label == one)][:, None] - rows.start_s[asked & (rows.label == one)]
            )
            assert np.abs(apart).min() >= 4.0


def test_several_recordings_are_left_out_whole_and_single_rows_not_at_all() -> None:
    rows = support(sessions=2)
    parts = parts_of(rows, 4.0)
    assert parts is not None
    assert all(not set(rows.session[known]) & set(rows.session[asked]) for known, asked in parts.pairs)
    assert parts_of(support(each=1), 0.0) is None
    few = parts_of(support(each=2), 0.0)
    assert few is not None
    assert len(few.pairs) == 2


def test_nobody_is_asked_about_a_day_of_which_nothing_is_left_to_learn_from() -> None:
    rows = support(each=4, sessions=2)
    of_days = replace(rows, domain=rows.session)
    assert parts_of(rows, 0.0) is not None
    parts = parts_of(of_days, 0.0)
    assert parts is not None
    for known, asked in parts.pairs:
        assert set(of_days.domain[asked]) <= set(of_days.domain[known])
    one_each = support(each=2, sessions=2)
    assert parts_of(one_each, 0.0) is not None
    assert parts_of(replace(one_each, domain=one_each.session), 0.0) is None


def test_where_nothing_can_be_held_out_a_fixed_one_is_kept() -> None:
    rows = support(each=1)
    kept = choose({"other": knows(rows, 0.9), UNTRIED[1]: knows(rows, 0.4)}, rows, 3)
    assert (kept.name, kept.heat) == (UNTRIED[1], 1.0)


def test_the_best_is_kept_wherever_it_stands() -> None:
    rows = support()
    answers = {"bad": mistaken(rows, 0.6), "good": knows(rows, 0.9), "worse": mistaken(rows, 0.8)}
    kept = choose(answers, rows, 3, length_s=4.0)
    assert kept.name == "good"
    assert list(kept.losses) == ["bad", "good", "worse"]


def test_the_least_loss_wins_and_ties_go_to_the_first() -> None:
    assert kept_of({"simple": 1.0 + 0.9 * TIE, "best": 1.0, "later": 1.0}) == "simple"
    assert kept_of({"simple": 1.0 + 1.1 * TIE, "best": 1.0, "later": 1.0}) == "best"
    assert kept_of({"simple": 1.0, "better": 1.0 - 0.9 * TIE, "best": 1.0 - 1.8 * TIE}) == "better"
    assert kept_of({"alone": float("inf")}) == "alone"


@pytest.mark.filterwarnings("error")
def test_a_row_that_is_never_asked_changes_nothing() -> None:
    rows = support(each=4, sessions=2)
    lonely = rows.label == 0
    of_days = replace(rows, domain=np.where(lonely, rows.session, "one"))
    kept = choose({"good": knows(rows, 0.9), "bad": mistaken(rows, 0.6)}, of_days, 3)
    assert kept.name == "good"
    assert np.isfinite(kept.heat)
    assert kept.losses["good"] == pytest.approx(choose({"good": knows(rows, 0.9)}, rows, 3).losses["good"])


def test_no_candidate_is_begun_when_time_is_over_but_the_first_always_is() -> None:
    rows, now = support(), iter(np.arange(100.0))
    answers = {"first": mistaken(rows, 0.5), "second": mistaken(rows, 0.4), "third": knows(rows, 0.9)}
    kept = choose(answers, rows, 3, length_s=4.0, budget_s=1.5, clock=lambda: float(next(now)))
    assert kept.name in {"first", "second"}
    assert kept.left_out == {"third": "no time was left"}
    assert choose(answers, rows, 3, length_s=4.0, budget_s=-1.0).name == "first"


def test_a_slow_one_that_is_far_behind_is_asked_once_and_one_that_refuses_is_named() -> None:
    rows, asked = support(), list[int]()

    def slow(known: Mask, mask: Mask) -> Floats:
        asked.append(int(mask.sum()))
        return mistaken(rows, 0.9)(known, mask)

    def refuses(_known: Mask, _mask: Mask) -> Floats:
        raise SelectionError("too few")

    kept = choose(
        {"good": knows(rows, 0.9), "slow": slow, "no": refuses}, rows, 3, length_s=4.0, slow={"slow"}
    )
    assert len(asked) == 1
    assert kept.name == "good"
    assert kept.left_out == {"slow": "far behind after the first part", "no": "too few"}
    with pytest.raises(SelectionError, match="too few"):
        choose({"no": refuses}, rows, 3)


def test_who_answers_no_probabilities_is_left_out() -> None:
    rows = support()

    def nothing(_known: Mask, asked: Mask) -> Floats:
        return np.full((int(asked.sum()), 3), np.nan)

    kept = choose({"first": nothing, "good": knows(rows, 0.9)}, rows, 3, length_s=4.0)
    assert kept.name == "good"
    assert kept.left_out == {"first": "it answered no probabilities"}
    with pytest.raises(SelectionError, match="no probabilities"):
        choose({"first": nothing}, rows, 3, length_s=4.0)


def test_overconfident_answers_are_cooled() -> None:
    rows = support()
    assert choose({"one": mistaken(rows, 0.4)}, rows, 3, length_s=4.0).heat > 1.1


def test_auto_makes_the_head_of_what_it_keeps_and_the_same_one_again() -> None:
    whole = made.setting(each=12)
    names = ["prototype", "coral", "standardise", "head_refit", "two_covariance"]
    (head, kept), (again, _) = (auto(whole, names, 3) for _ in range(2))
    asked = made.query()
    assert kept.name in names[3:] + names[:1]
    assert float((head.predict(asked.values).argmax(axis=1) == asked.label).mean()) > 0.8
    assert (head.predict(asked.values) == again.predict(asked.values)).all()
    assert set(kept.losses) == set(names)


def test_order_is_written_down_and_what_lacks_its_needs_is_not_tried() -> None:
    whole = made.setting()
    assert in_order(["aad", "coral", "neighbours", "head_refit", "ordinal_refit"], ordered=True) == [
        "ordinal_refit",
        "head_refit",
        "neighbours",
        "coral",
        "aad",
    ]
    assert in_order(["head_refit", "ordinal_refit"], ordered=False) == ["head_refit"]
    nowhere = replace(whole, source=whole.source.take(np.zeros(len(whole.source), np.bool_)), bridge=None)
    assert able(["head_refit", "metric_head", "pada"], nowhere) == ["head_refit"]
    with pytest.raises(SelectionError, match="--support"):
        auto(replace(whole, support=None))
