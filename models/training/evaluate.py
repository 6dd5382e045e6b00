"""Honest accuracy: source against target domains, by the rules of DESIGN A6."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from models.data import crowd
from models.data.samples import Samples
from models.errors import SelectionError
from models.prediction import JsonValue
from models.signal.window import WindowSpec
from models.tasks.ordinal import median
from models.training.fit import fit
from models.training.judge import Rows, bootstrap, decide, spans
from models.training.methods import METHODS, Problem, baselines
from models.training.metrics import confusion
from models.training.provenance import commit
from models.training.selection import parse_selection, parse_support, pick, split_support
from models.training.task import TaskSpec, task_spec

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Question:
    """What `roomtone evaluate` was asked, as on its command line."""

    task: str
    data: Path
    source: str
    target: str
    support: str | None = None
    classes: tuple[int, ...] | None = None
    method: str = "auto"
    transductive: bool = False
    decision_s: float | None = None
    seeds: int = 3


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """Every judged unit of one seed: where it comes from, its label, and its probabilities."""

    domain: npt.NDArray[np.str_]
    session: npt.NDArray[np.str_]
    start_s: npt.NDArray[np.float64]
    label: npt.NDArray[np.int64]
    probabilities: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Report:
    """The printed document, and the judged units behind it by seed."""

    document: Mapping[str, JsonValue]
    judged: tuple[Judged, ...]
    classes: tuple[str, ...]


def evaluate(question: Question, progress: Progress = lambda _what, _share: None) -> Report:
    """Train on the source, judge on the target, with baselines and bootstrap intervals.

    Raises:
        DatasetError: the data set, a domain or a class is not there.
        SelectionError: the options contradict each other.
    """
    began = time.monotonic()
    if question.method not in METHODS:
        raise SelectionError(f"no method {question.method!r}; there are {', '.join(METHODS)}")
    if question.seeds < 1:
        raise SelectionError(f"seeds must be at least 1, got {question.seeds}")
    problem, paths = _problem(question, progress)
    units = _units(problem.query, question.decision_s)
    tables, judged = _all_seeds(question, problem, units, progress)
    last = judged[-1]
    intervals = bootstrap(problem.spec.metrics, last.probabilities, last.label, last.session, last.start_s)
    document = _document(question, problem, tables, judged, intervals)
    document["data_digest"] = crowd.digest(paths)
    document["commit"] = commit()
    document["seconds"] = round(time.monotonic() - began, 1)
    return Report(document, tuple(judged), problem.spec.classes)


def _problem(question: Question, progress: Progress) -> tuple[Problem, list[Path]]:
    source_parts, target_parts = parse_selection(question.source), parse_selection(question.target)
    names = list(dict.fromkeys(part.domain for part in (*source_parts, *target_parts)))
    samples = crowd.load(question.data, names, WindowSpec(), people=question.classes, progress=progress)
    source, target = pick(samples, source_parts), pick(samples, target_parts)
    _check_apart(source, target)
    support, query = None, target
    if question.support is not None:
        support, query = split_support(target, parse_support(question.support))
    unlabelled = query if question.transductive else support
    spec = task_spec(question.task, int(max(samples.people)))
    known = crowd.domains(question.data)
    used = {f"{name}/{n}p" for name in names for n in known[name]} & set(samples.session.tolist())
    paths = [known[name][n] for name in names for n in known[name] if f"{name}/{n}p" in used]
    for side, held in (("source", source), ("target", query)):
        if len(np.unique(spec.labels(held))) < 2:
            raise SelectionError(f"the {side} holds one class only; {question.task} needs two or more")
    return Problem(source, query, support, unlabelled, spec), paths


def _check_apart(source: Samples, target: Samples) -> None:
    """Refuse a window on both sides: it would be judged on what it was trained on."""
    for session in set(source.session.tolist()) & set(target.session.tolist()):
        ours, theirs = source.start_s[source.session == session], target.start_s[target.session == session]
        nearest = np.abs(ours[:, None] - theirs[None]).min()
        if nearest < source.length_s:
            raise SelectionError(
                f"source and target share frames of {session}; leave {source.length_s:g} s or more between "
                f"their time ranges, e.g. --source RoomA:0s-75s --target RoomA:82s-120s"
            )


def _units(query: Samples, decision_s: float | None) -> list[Rows]:
    length = query.length_s if decision_s is None else decision_s
    if length < query.length_s:
        raise SelectionError(f"a decision of {length:g} s is shorter than a window of {query.length_s:g} s")
    units = spans(query, length)
    if not units:
        raise SelectionError(f"a decision of {length:g} s is longer than every recording of the target")
    return units


Tables = dict[str, dict[str, list[float]]]


def _all_seeds(
    question: Question, problem: Problem, units: list[Rows], progress: Progress
) -> tuple[Tables, list[Judged]]:
    """Metrics by method and seed; the asked method is under ``""``."""
    tables: Tables = {}
    judged = []
    labels = problem.spec.labels(problem.query)
    first = np.array([rows[0] for rows in units])
    for seed in range(question.seeds):
        progress(f"seed {seed + 1} of {question.seeds}", seed / question.seeds)
        fitted = fit(problem.source, problem.spec, seed)
        asked = decide(METHODS[question.method](problem, fitted, seed), units)
        _note(tables, "", problem.spec, asked, labels[first])
        for name, method in baselines(problem).items():
            found = decide(method(problem, fitted, seed), units)
            _note(tables, name, problem.spec, found, labels[first])
        query = problem.query
        judged.append(
            Judged(query.domain[first], query.session[first], query.start_s[first], labels[first], asked)
        )
    progress("done", 1.0)
    return tables, judged


def _note(
    tables: Tables,
    name: str,
    spec: TaskSpec,
    probabilities: npt.NDArray[np.float64],
    labels: npt.NDArray[np.int64],
) -> None:
    for metric, value in spec.metrics(probabilities, labels).items():
        tables.setdefault(name, {}).setdefault(metric, []).append(value)


def _summary(table: Mapping[str, list[float]]) -> dict[str, JsonValue]:
    return {
        name: {"mean": round(float(np.mean(values)), 4), "sd": round(float(np.std(values)), 4)}
        for name, values in table.items()
    }


def _document(
    question: Question,
    problem: Problem,
    tables: Tables,
    judged: list[Judged],
    intervals: Mapping[str, tuple[float, float]],
) -> dict[str, JsonValue]:
    total = sum(
        np.array(confusion(median(one.probabilities), one.label, len(problem.spec.classes))) for one in judged
    )
    return {
        "task": question.task,
        "data": str(question.data),
        "source": question.source,
        "target": question.target,
        "support": question.support,
        "method": question.method,
        "transductive": question.transductive,
        "decision_s": question.decision_s,
        "seeds": question.seeds,
        "classes": list(problem.spec.classes),
        "metrics": _summary(tables.pop("")),
        "baselines": {name: _summary(table) for name, table in tables.items()},
        "n_sessions": len(np.unique(problem.query.session)),
        "n_units": len(judged[-1].label),
        "n_skipped_low_occupancy": problem.query.skipped,
        "confusion": np.asarray(total).tolist(),
        "interval95": {name: [round(low, 4), round(high, 4)] for name, (low, high) in intervals.items()},
    }


__all__ = ["Judged", "Question", "Report", "evaluate"]
