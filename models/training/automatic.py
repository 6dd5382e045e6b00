"""`auto` with labelled rows of the target: what does best on held-out ones, the simplest of equals.

The rule. Candidates are tried in the order below, simplest first, while there is time. Each learns from one
part of the support and answers the other: recordings left out in turn, else earlier and later parts with the
guard of `models.adapt.evidence`, else every second row of each class; where a class has a single row nothing
can be held out, and the first candidate that needs no choice is taken. Answers get the temperature of least
log loss; kept is the candidate with the least log loss after it, or, of those within `TIE` of it, the first.
Nothing is ever judged on the query.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from models import adapt
from models.adapt.base import Rows
from models.adapt.evidence import Folds, GateRefusal, folds_of
from models.adapt.gate import best_heat, heated, score
from models.data.samples import Samples
from models.errors import ModelsError

if TYPE_CHECKING:
    from models.learners.base import Found, Method, Problem

OWN = ("none", "standardised", "matched", "head_only")
"""Methods of learners that may be chosen, before the adapters."""
UNTRIED = ("two_covariance", "head_refit", "pooled")
"""Where nothing can be held out, the first of these that works."""
TIE = 0.02
BUDGET_S = 6.0
"""Processor seconds after which no further candidate is begun."""
_FEWEST = 2

Mask = npt.NDArray[np.bool_]


def automatic(problem: "Problem", methods: Mapping[str, "Method"], fitted: Any, seed: int) -> "Found":  # noqa: ANN401
    """Answers to the query by the method that was chosen; see above."""
    assert problem.support is not None  # noqa: S101 - the caller's part
    folds = held_out_folds(problem.support, problem.spec.classes)
    if folds is None:
        return _first(problem, methods, fitted, seed)
    name, heat = chosen(problem, methods, fitted, seed, folds)
    found = methods[name](problem, fitted, seed)[:, : len(problem.spec.classes)]
    return heated(found, heat, ordinal=problem.spec.name == "counting")


def chosen(
    problem: "Problem",
    methods: Mapping[str, "Method"],
    fitted: Any,  # noqa: ANN401 - Fitted
    seed: int,
    folds: Folds,
) -> tuple[str, float]:
    """Name of the best candidate and what its temperature is to be multiplied by."""
    told: dict[str, tuple[float, float]] = {}
    began = time.process_time()
    for name in candidates(methods):
        if told and time.process_time() - began > BUDGET_S:
            break
        try:
            told[name] = _loss(problem, methods[name], fitted, seed, folds)
        except ModelsError:
            continue
    if not told:
        return next(name for name in UNTRIED if name in methods), 1.0
    least = min(loss for loss, _ in told.values())
    name = next(name for name, (loss, _) in told.items() if loss <= least + TIE)
    return name, told[name][1]


def candidates(methods: Mapping[str, "Method"]) -> list[str]:
    """What is tried, simplest first: the learner's own, instant adapters, deep ones."""
    named = [name for name in adapt.available() if name in methods]
    sensible = [name for name in named if not adapt.adapter(name).EXPERIMENTAL]
    tiers = [[one for one in sensible if adapt.tier_of(one) == tier] for tier in ("instant", "deep")]
    return [*(name for name in OWN if name in methods), *tiers[0], *tiers[1]]


def held_out_folds(support: Samples, classes: Sequence[str]) -> Folds | None:
    """How the support can be parted; None where a class has a single row."""
    count = np.unique(support.label, return_counts=True)[1]
    if len(count) < _FEWEST or count.min() < _FEWEST:
        return None
    if support.length_s > 0:
        try:
            return folds_of(_rows(support), classes, support.length_s)
        except GateRefusal:
            pass
    return _alternating(support)


def _alternating(support: Samples) -> Folds:
    """Every second row of each class against the others."""
    first = np.zeros(len(support), np.bool_)
    for one in np.unique(support.label):
        first[np.flatnonzero(support.label == one)[::2]] = True
    return Folds(((first, ~first), (~first, first)), provisional=True)


def _rows(support: Samples) -> Rows:
    none = np.zeros((len(support), 0))
    return Rows(none, support.label, support.domain, support.session, support.start_s)


def _loss(problem: "Problem", method: "Method", fitted: Any, seed: int, folds: Folds) -> tuple[float, float]:  # noqa: ANN401
    """Log loss on held-out support with the best temperature, and that temperature."""
    support = problem.support
    assert support is not None  # noqa: S101 - the caller's part
    classes = problem.spec.classes
    total, times = np.zeros((len(support), len(classes))), np.zeros(len(support))
    for known, asked in folds.pairs:
        trial = replace(
            problem,
            support=support.take(known),
            query=support.take(asked),
            unlabelled=problem.unlabelled if problem.unlabelled is not support else support.take(known),
        )
        total[asked] += method(trial, fitted, seed)[:, : len(classes)]
        times[asked] += 1
    with np.errstate(invalid="ignore"):
        found = np.where(times[:, None] > 0, total / times[:, None], np.nan)
    ordinal, rows = problem.spec.name == "counting", _rows(support)
    heat = best_heat(found, rows, classes, ordinal=ordinal)
    told = heated(found, heat, ordinal=ordinal)
    return score(told, rows, classes, ordered=False).log_loss, heat


def _first(problem: "Problem", methods: Mapping[str, "Method"], fitted: Any, seed: int) -> "Found":  # noqa: ANN401
    for name in UNTRIED:
        try:
            return methods[name](problem, fitted, seed)
        except (KeyError, ModelsError):
            continue
    return methods["target_only"](problem, fitted, seed)
