"""Adapters of `models.adapt` as methods of `roomtone evaluate`: a problem's rows as vectors, answers back."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from models.adapt import adapter
from models.adapt.base import ELSEWHERE, Rows, Setting
from models.data.samples import Samples

if TYPE_CHECKING:
    from models.learners.base import Found, Learner, Method, Problem


def carried(learner: "Learner", name: str) -> "Method":
    """The adapter of that name on the vectors of this learner."""

    def method(problem: "Problem", fitted: Any, seed: int) -> "Found":  # noqa: ANN401 - Fitted
        head = adapter(name).adapt(setting_of(learner, problem, fitted), seed)
        return head.predict(learner.vectors(fitted, problem.query.inputs))

    return method


def setting_of(learner: "Learner", problem: "Problem", fitted: Any) -> Setting:  # noqa: ANN401 - Fitted
    """What an adapter may look at: never a label of the query."""
    seen = problem.unlabelled is not None and problem.unlabelled is not problem.support
    return Setting(
        source=_native(
            rows_of(learner, fitted, problem.source), problem.source.classes, problem.spec.classes
        ),
        support=None if problem.support is None else rows_of(learner, fitted, problem.support),
        unlabelled=learner.vectors(fitted, problem.unlabelled.inputs)
        if seen and problem.unlabelled is not None
        else None,
        bridge=None if problem.bridge is None else learner.vectors(fitted, problem.bridge.inputs),
        classes=len(problem.spec.classes),
        ordered=problem.spec.name == "counting",
        length_s=problem.query.length_s,
    )


def rows_of(learner: "Learner", fitted: Any, samples: Samples) -> Rows:  # noqa: ANN401 - Fitted
    """Samples as vectors with their labels."""
    return Rows(
        learner.vectors(fitted, samples.inputs),
        np.asarray(samples.label, np.int64),
        samples.domain,
        samples.session,
        samples.start_s,
    )


def _native(rows: Rows, named: Sequence[str], ours: Sequence[str]) -> Rows:
    """The same; rows of a class that the target does not have say so, and have its name for a domain."""
    native = rows.label < len(ours)
    if native.all():
        return rows
    domain = np.where(native, rows.domain, np.array(named)[rows.label])
    return replace(rows, label=np.where(native, rows.label, ELSEWHERE), domain=domain)
