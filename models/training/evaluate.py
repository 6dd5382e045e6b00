"""Honest accuracy: source against target domains, by the rules of DESIGN A6."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.data.samples import Samples
from models.errors import SelectionError
from models.learners.base import Problem
from models.prediction import JsonValue
from models.training.baselines import baselines
from models.training.judge import Rows, bootstrap, decide, units
from models.training.problem import Progress, Question, Study, study
from models.training.report import Judged, Report, Tables, document, summary, target_used
from models.training.task import TaskSpec
from models.training.walks import Walks, joined, voted, walk_intervals, walk_metrics

Floats = npt.NDArray[np.float64]
ASKED = ""
"""Name under which the asked method stands beside the baselines."""
_LEAST = 1e-9
"""So that a row that is nowhere among the target's classes is anywhere among them."""
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
    trials = [_trial(asked, turn, progress) for turn in turns(asked.draws, question.seeds)]
    progress("done", 1.0)
    told = _told([one for one in trials if not one.beside], asked)
    firsts = [one for one in trials if one.beside]
    told["first_k"] = summary(_tables(firsts)[ASKED]) if firsts else None
    told["longest"] = dict(asked.watch.told())
    told["seconds"] = round(time.monotonic() - began, 1)
    return Report(
        told, tuple(one.judged for one in trials if not one.beside), trials[0].folds[0].spec.classes
    )


@dataclass(frozen=True, slots=True)
class Turn:
    """One training and one choice of support; `beside` the figure: the first rows where others are drawn."""

    seed: int
    draw: int | None = None
    beside: bool = False


def turns(draws: Sequence[int | None], seeds: int) -> list[Turn]:
    """What a figure is the mean of: every seed; where support is drawn every draw, seeds taking turns."""
    if tuple(draws) == (None,):
        return [Turn(seed) for seed in range(seeds)]
    drawn = [Turn(number % seeds, draw) for number, draw in enumerate(draws)]
    return sorted(
        [*drawn, *(Turn(seed, None, beside=True) for seed in range(seeds))], key=lambda one: one.seed
    )


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """What one turn gave: its problems, its judged units, and figures by method."""

    folds: Sequence[Problem]
    judged: Judged
    metrics: Mapping[str, Mapping[str, float]]
    beside: bool


def _trial(asked: Study, turn: Turn, progress: Progress) -> Trial:
    folds = asked.folds(turn.seed, turn.draw)
    answers = [_answers(asked, fold, turn, progress) for fold in folds]
    voted_on = {name: joined([fold[name][1] for fold in answers]) for name in answers[0]}
    judged = _judged(asked, folds, [found[ASKED][0] for found in answers], voted_on[ASKED])
    spec, metrics = folds[0].spec, {}
    for name in answers[0]:
        found = np.concatenate([fold[name][0] for fold in answers])
        metrics[name] = spec.metrics(found, judged.label) | walk_metrics(spec, voted_on[name])
    return Trial(folds, judged, metrics, turn.beside)


def _told(trials: Sequence[Trial], asked: Study) -> dict[str, JsonValue]:
    folds, last = trials[-1].folds, trials[-1].judged
    spec = folds[0].spec
    intervals = bootstrap(spec.metrics, last.found, last.label, last.session, last.start_s)
    intervals |= walk_intervals(spec, last.walks)
    judged = [one.judged for one in trials]
    told = document(
        asked, spec, _tables(trials), judged, intervals, skipped=sum(fold.query.skipped for fold in folds)
    )
    return told | {"target_used": target_used(folds, asked.question.transductive, len(asked.draws))}


def _tables(trials: Sequence[Trial]) -> Tables:
    tables: Tables = {}
    for trial in trials:
        for name, metrics in trial.metrics.items():
            _note(tables, name, metrics)
    return tables


def _answers(asked: Study, problem: Problem, turn: Turn, progress: Progress) -> Answers:
    """Answers to every judged unit and walk by the asked method (under `ASKED`) and all baselines.

    Of the first rows that stand beside drawn ones only the asked method is told.
    """
    learner, methods = asked.learner, asked.learner.methods()
    seed, seeds, share = turn.seed, asked.question.seeds, turn.seed / asked.question.seeds
    progress(f"seed {seed + 1} of {seeds}: {learner.NAME}", share)
    fitted = asked.fitted(problem, seed)
    rows = _units(problem.query, asked.question.decision_s)
    simple = {} if turn.beside else baselines(problem, doubtful=bool(asked.caveats))
    with asked.watch.step(f"method {asked.question.method}"):
        answers = {ASKED: methods[asked.question.method](problem, fitted, seed)}
    for name in () if turn.beside else learner.baselines(problem):
        progress(f"seed {seed + 1} of {seeds}: {name}", share)
        with asked.watch.step(f"baseline {name}"):
            answers[name] = methods[name](problem, fitted, seed)
    for name, one in simple.items():
        progress(f"seed {seed + 1} of {seeds}: {name}", share)
        with asked.watch.step(f"baseline {name}"):
            answers[name] = one(problem, seed)
    found = {name: among(one, problem.spec) for name, one in answers.items()}
    pooling = problem.query.pooling
    return {name: (decide(one, rows, pooling), voted(problem.query, one)) for name, one in found.items()}


def among(found: Floats, spec: TaskSpec) -> Floats:
    """Probabilities of the target's classes alone, sum 1 again; other sites' places come after them."""
    if not spec.classes or found.shape[1] == len(spec.classes):
        return found
    ours = found[:, : len(spec.classes)] + _LEAST
    return np.asarray(ours / ours.sum(axis=1, keepdims=True), np.float64)


def _judged(asked: Study, folds: Sequence[Problem], found: Sequence[Floats], walks: Walks | None) -> Judged:
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
