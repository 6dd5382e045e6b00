"""What `roomtone evaluate` prints: one document (DESIGN A2), and the judged units behind it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models.learners.base import Problem
from models.prediction import JsonValue
from models.tasks.ordinal import median
from models.training.metrics import confusion
from models.training.problem import Study
from models.training.provenance import commit
from models.training.task import TaskSpec
from models.training.walks import Walks

Floats = npt.NDArray[np.float64]
Tables = dict[str, dict[str, list[float]]]
"""Values of every metric by method, one a seed; the asked method is under ``""``."""


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """Every judged unit of one seed: where it comes from, its label, and the answer of the asked method.

    `walks` are the answers after voting, where units are windows of walks.
    """

    domain: npt.NDArray[np.str_]
    session: npt.NDArray[np.str_]
    start_s: Floats
    label: npt.NDArray[Any]
    found: Floats
    walks: Walks | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """The printed document, and the judged units behind it by seed."""

    document: Mapping[str, JsonValue]
    judged: Sequence[Judged]
    classes: tuple[str, ...]


def document(
    asked: Study,
    spec: TaskSpec,
    tables: Tables,
    judged: Sequence[Judged],
    intervals: Mapping[str, tuple[float, float]],
    *,
    skipped: int,
) -> dict[str, JsonValue]:
    """The answer to a question; mean and deviation are over seeds."""
    question = asked.question
    return {
        "task": question.task,
        "data": str(question.data),
        "simulated": asked.simulated,
        "trained_on": asked.trained_on,
        "source": question.source,
        "target": question.target,
        "leave_out": question.leave_out,
        "support": question.support,
        "bridge": question.bridge,
        "learner": asked.learner.NAME,
        "method": question.method,
        "transductive": question.transductive,
        "decision_s": question.decision_s,
        "seeds": question.seeds,
        "classes": list(spec.classes),
        "metrics": summary(tables[""]),
        "baselines": {name: summary(table) for name, table in tables.items() if name},
        "warnings": [one.words for one in asked.caveats],
        "evidence": not any(one.void for one in asked.caveats),
        "chance": _chance(judged[-1]),
        "n_sessions": len(np.unique(judged[-1].session)),
        "n_units": len(judged[-1].label),
        **_voted(spec, judged),
        "n_skipped_low_occupancy": skipped,
        "confusion": _confusion(spec, [(one.found, one.label) for one in judged]),
        "interval95": {name: [round(low, 4), round(high, 4)] for name, (low, high) in intervals.items()},
        "data_digest": asked.digest,
        "commit": commit(),
    }


def target_used(folds: Sequence[Problem], transductive: bool, draws: int) -> dict[str, JsonValue]:
    """What of the target was looked at, and what was judged, by rows; of the last draw if drawn."""
    support = folds[-1].support
    lent: dict[str, JsonValue] = {}
    if support is not None:
        for name in dict.fromkeys(support.domain.tolist()):
            counts = np.unique(support.label[support.domain == name], axis=0, return_counts=True)[1]
            lent[name] = {"rows": int(counts.sum()), "classes": len(counts)}
    query = sum(len(fold.query) for fold in folds)
    return {
        "labelled": lent,
        "draws": draws if draws > 1 else None,
        "unlabelled_query_rows": query if transductive else 0,
        "left_out_rows": sum(fold.left_out for fold in folds),
        "query_rows": query,
        "source_of_another_site": any(fold.foreign for fold in folds),
    }


def _chance(judged: Judged) -> float | None:
    """Accuracy of a guess among the classes that were judged; None where labels are metres."""
    return round(1 / len(np.unique(judged.label)), 4) if judged.label.ndim == 1 else None


def _voted(spec: TaskSpec, judged: Sequence[Judged]) -> dict[str, JsonValue]:
    """How many walks were voted on, and what was found, over all seeds; nothing without walks."""
    walks = [one.walks for one in judged if one.walks is not None]
    if not walks:
        return {}
    table = _confusion(spec, [(one.found, one.label) for one in walks])
    return {"n_walks": len(walks[-1].label), "walk_confusion": table}


def _confusion(spec: TaskSpec, answers: Sequence[tuple[Floats, npt.NDArray[Any]]]) -> JsonValue:
    """Rows are true classes, columns what was found, over all seeds; None where labels are metres."""
    if not spec.classes:
        return None
    best = median if spec.name == "counting" else _likeliest
    tables = [confusion(best(found), label, len(spec.classes)) for found, label in answers]
    total: JsonValue = np.sum(tables, axis=0).tolist()
    return total


def _likeliest(probabilities: Floats) -> npt.NDArray[np.int64]:
    return np.asarray(probabilities.argmax(axis=1), np.int64)


def summary(table: Mapping[str, list[float]]) -> dict[str, JsonValue]:
    """Mean and deviation of every metric."""
    return {
        name: {"mean": round(float(np.mean(values)), 4), "sd": round(float(np.std(values)), 4)}
        for name, values in table.items()
    }
