"""`evaluate --method auto` with support: what is tried in which order; a learner's own methods may win."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from models.errors import SelectionError
from models.learners.base import Found, Method, Problem
from models.learners.opinion import POOLS
from models.training.automatic import automatic, candidates, chosen
from models.training.problem import Question, Study, study


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Study:
    """A site of fingerprints on two days; the second moved by less than its places are apart."""
    folder, rng = tmp_path_factory.mktemp("days"), np.random.default_rng(0)
    for name, moved in (("A_1", 0.0), ("A_2", 1.0)):
        location = np.repeat(np.arange(4), 16)
        amplitude = 15 + location[:, None] * np.linspace(-2, 2, 120) + moved + rng.standard_normal((64, 120))
        np.savez(folder / f"{name}.npz", amplitude=amplitude.astype(np.float32), location=location)
    return study(
        Question("localization", folder, "A_1", "A_2", support="A_2:4", method="auto"), lambda *_: None
    )


@pytest.fixture(scope="module")
def problem(asked: Study) -> Problem:
    return asked.folds(0)[0]


def says(answer: int) -> Method:
    def method(problem: Problem, _fitted: Any, _seed: int) -> Found:
        right = np.eye(4)[problem.query.label] * 0.9 + 0.025
        return right if answer else np.full((len(problem.query), 4), 0.25)

    return method


def test_what_learns_from_labels_at_once_comes_first_and_what_fits_again_late(asked: Study) -> None:
    order = candidates(asked.learner.methods(), ordered=False)
    assert order[0] == "head_refit"
    assert order.index("none") < order.index("coral") < order.index("pooled") < order.index("side_tuning")
    assert "ordinal_refit" not in order
    assert "auto" not in order
    assert order.index("pooled") < order.index("target_only") < order.index("opinion_3")
    assert order.index("opinion_2") < order.index("opinion_3") < order.index("side_tuning")


def test_a_method_of_the_learner_wins_where_it_is_best(problem: Problem) -> None:
    methods = {"head_refit": says(0), "none": says(1)}
    kept = chosen(problem, methods, None, 0)
    assert kept.name == "none"
    assert set(kept.losses) == {"head_refit", "none"}
    found = automatic(problem, methods, None, 0)
    assert (found.argmax(axis=1) == problem.query.label).all()


def test_members_of_a_pool_are_asked_once_and_answer_as_the_pool_does(asked: Study, problem: Problem) -> None:
    told, members = list[int](), POOLS["opinion_2"]

    def counted(trial: Problem, _fitted: Any, _seed: int) -> Found:
        told.append(len(trial.query))
        return says(1)(trial, None, 0)

    methods = {**dict.fromkeys(members, counted), "opinion_2": says(0)}
    kept = chosen(problem, methods, None, 0)
    assert len(told) == 4 * len(members)
    assert kept.losses["opinion_2"] == pytest.approx(kept.losses[members[0]])
    fitted = asked.fitted(problem, 0)
    each = [asked.learner.methods()[name](problem, fitted, 0) for name in members]
    found = asked.learner.methods()["opinion_2"](problem, fitted, 0)
    assert np.allclose(found.sum(axis=1), 1)
    between = np.log(found[:, :1] / found[:, 1:])
    ratios = [np.log(np.maximum(one[:, :1], 1e-4) / np.maximum(one[:, 1:4], 1e-4)) for one in each]
    assert np.allclose(between, np.mean(ratios, axis=0), atol=1e-9)


def test_held_out_rows_are_taught_to_nobody_who_answers_them(problem: Problem) -> None:
    seen = list[tuple[set[float], set[float]]]()

    def spy(trial: Problem, _fitted: Any, _seed: int) -> Found:
        assert trial.support is not None
        rows = [{float(one) for one in part.inputs["plain"][:, 0]} for part in (trial.support, trial.query)]
        seen.append((rows[0], rows[1]))
        return np.eye(4)[trial.query.label]

    chosen(problem, {"none": spy}, None, 0)
    query = {float(one) for one in problem.query.inputs["plain"][:, 0]}
    assert len(seen) == 4
    assert all(not taught & judged and not judged & query for taught, judged in seen)


def test_without_support_it_says_what_is_missing(problem: Problem) -> None:
    with pytest.raises(SelectionError, match="--support"):
        chosen(replace(problem, support=None), {"none": says(1)}, None, 0)
