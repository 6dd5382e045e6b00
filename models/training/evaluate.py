"""Honest accuracy: source against target domains, by the rules of DESIGN A6."""

import time
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from models.data.samples import Samples
from models.errors import SelectionError
from models.learners.base import Problem
from models.training.baselines import baselines
from models.training.judge import Rows, bootstrap, decide, units
from models.training.problem import Progress, Question, Study, study
from models.training.report import Judged, Report, Tables, document
from models.training.walks import Walks, joined, voted, walk_intervals, walk_metrics

Floats = npt.NDArray[np.float64]
ASKED = ""
"""Name under which the asked method stands beside the baselines."""
Answers = Mapping[str, tuple[Floats, Walks | None]]
"""Answers to every judged unit, and to every walk where rows are windows of walks, by method."""


def evaluate(question: Question, progress: Progress = lambda _what, _share: None) -> Report:
    """Train on the source, judge on the target, with baselines and bootstrap intervals.

    Raises:
        DatasetError: the data set, a domain or a class is not there.
        SelectionError: the options contradict each other.
    """
    began = time.monotonic()
    asked = study(question, progress)
    tables: Tables = {}
    judged, spec, skipped = list[Judged](), None, 0
    for seed in range(question.seeds):
        folds = asked.folds(seed)
        answers = [_answers(asked, fold, seed, progress) for fold in folds]
        voted_on = {name: joined([fold[name][1] for fold in answers]) for name in answers[0]}
        judged.append(_judged(asked, folds, [found[ASKED][0] for found in answers], voted_on[ASKED]))
        spec, skipped = folds[0].spec, sum(fold.query.skipped for fold in folds)
        for name in answers[0]:
            found = np.concatenate([fold[name][0] for fold in answers])
            metrics = spec.metrics(found, judged[-1].label) | walk_metrics(spec, voted_on[name])
            _note(tables, name, metrics)
    assert spec is not None  # noqa: S101 - there is at least one seed
    progress("done", 1.0)
    last = judged[-1]
    intervals = bootstrap(spec.metrics, last.found, last.label, last.session, last.start_s)
    intervals |= walk_intervals(spec, last.walks)
    told = document(asked, spec, tables, judged, intervals, skipped=skipped)
    told["seconds"] = round(time.monotonic() - began, 1)
    return Report(told, tuple(judged), spec.classes)


def _answers(asked: Study, problem: Problem, seed: int, progress: Progress) -> Answers:
    """Answers to every judged unit and walk by the asked method (under `ASKED`) and all baselines."""
    learner, methods = asked.learner, asked.learner.methods()
    share = seed / asked.question.seeds
    progress(f"seed {seed + 1} of {asked.question.seeds}: {learner.NAME}", share)
    fitted = learner.fit(problem.source, seed)
    rows = _units(problem.query, asked.question.decision_s)
    pooling = problem.query.pooling
    found = {ASKED: methods[asked.question.method](problem, fitted, seed)}
    for name in learner.baselines(problem):
        progress(f"seed {seed + 1} of {asked.question.seeds}: {name}", share)
        found[name] = methods[name](problem, fitted, seed)
    for name, simple in baselines(problem, doubtful=bool(asked.caveats)).items():
        progress(f"seed {seed + 1} of {asked.question.seeds}: {name}", share)
        found[name] = simple(problem, seed)
    return {name: (decide(one, rows, pooling), voted(problem.query, one)) for name, one in found.items()}


def _judged(asked: Study, folds: list[Problem], found: list[Floats], walks: Walks | None) -> Judged:
    first = [
        fold.query.take(np.array([rows[0] for rows in _units(fold.query, asked.question.decision_s)]))
        for fold in folds
    ]
    return Judged(
        np.concatenate([one.domain for one in first]),
        np.concatenate([one.session for one in first]),
        np.concatenate([one.start_s for one in first]),
        np.concatenate([one.label for one in first]),
        np.concatenate(found),
        walks,
    )


def _units(query: Samples, decision_s: float | None) -> list[Rows]:
    """Rows of every judged unit.

    Raises:
        SelectionError: a decision shorter than a window, or longer than every recording.
    """
    if decision_s is not None and query.length_s == 0:
        raise SelectionError("these rows have no time: --decision means nothing for them")
    if decision_s is not None and decision_s < query.length_s:
        raise SelectionError(
            f"a decision of {decision_s:g} s is shorter than a window of {query.length_s:g} s"
        )
    found = units(query, decision_s)
    if not found:
        raise SelectionError(f"a decision of {decision_s:g} s is longer than every recording of the target")
    return found


def _note(tables: Tables, name: str, metrics: Mapping[str, float]) -> None:
    for metric, value in metrics.items():
        tables.setdefault(name, {}).setdefault(metric, []).append(value)


__all__ = ["Judged", "Question", "Report", "evaluate"]
