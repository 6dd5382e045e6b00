"""Every method on every question with a few labels: docs/adaptation.md, beside what each costs.

One source model a seed serves all methods; the rows, units and metrics are those of `roomtone evaluate`.
"""

import json
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from models.adapt import names as adapter_names
from models.data.registry import dataset_of
from models.errors import ModelsError
from models.figures.code import Code
from models.figures.rows import FEW, ROWS, Row
from models.figures.run import key_of, question_of, replace_suffix
from models.learners import learner
from models.learners.base import Problem
from models.training.judge import decide, units
from models.training.problem import Study, study

PREFIX = "methods-"
BEGIN = "<!-- methods: made by `make figures`, do not edit -->"
END = "<!-- end of methods -->"
TURNS = 3
"""Seeds, or draws of the support, that a cell is the mean of."""
_SKIPPED = ("adapted",)

Progress = Callable[[str, float], None]


def compared(row: Row, datasets: Path, results: Path, *, code: Code, progress: Progress) -> str:
    """Answer one row by all methods whose answer is not there already; what was done, in a word or two."""
    path = results / f"{PREFIX}{row.name}.json"
    try:
        keys = keys_of(row, datasets, code)
        held = _held(path, keys)
        if len(held) == len(keys):
            return "as it was"
        torch.set_num_threads(1)
        began = time.monotonic()
        asked = study(question_of(row, datasets, TURNS), progress)
        told = _answered(asked, row, set(keys) - set(held), progress)
    except ModelsError as error:
        return f"not answered: {error}"
    methods = {name: {**held.get(name, told.get(name, {})), "key": key} for name, key in keys.items()}
    document = {"metric": next(iter(row.aims)), "turns": TURNS, "methods": methods}
    staged = replace_suffix(path)
    staged.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    staged.replace(path)
    return f"{len(told)} of {len(keys)} methods answered in {time.monotonic() - began:.0f} s"


def missing(row: Row, datasets: Path, results: Path, *, code: Code) -> list[str]:
    """Methods whose answer is not there, or no longer holds.

    Raises:
        DatasetError: the data set is not there.
    """
    keys = keys_of(row, datasets, code)
    held = _held(results / f"{PREFIX}{row.name}.json", keys)
    return [name for name in keys if name not in held]


def keys_of(row: Row, datasets: Path, code: Code) -> dict[str, str]:
    """What the answer of each method hangs on.

    Raises:
        DatasetError: the data set is not there.
    """
    question = question_of(row, datasets, TURNS)
    who = learner(question.learner or dataset_of(question.data).LEARNERS[question.task])
    names = [name for name in who.methods() if name not in _SKIPPED]
    return {name: key_of(row, datasets, code, TURNS, method=name) for name in names}


def _held(path: Path, keys: Mapping[str, str]) -> dict[str, Any]:
    """Answers of before that still hold, by method."""
    methods = {} if (there := _read(path)) is None else there["methods"]
    return {name: one for name, one in methods.items() if one.get("key") == keys.get(name)}


def _answered(asked: Study, row: Row, wanted: Collection[str], progress: Progress) -> dict[str, Any]:
    """Figure, spread and cost of these methods, or why one does not answer."""
    methods = {name: one for name, one in asked.learner.methods().items() if name in wanted}
    metric = next(iter(row.aims))
    cells: dict[str, list[tuple[float, float]]] = {}
    silent: dict[str, str] = {}
    for turn in range(TURNS):
        draw = asked.draws[turn] if len(asked.draws) >= TURNS else None
        for problem in asked.folds(turn, draw):
            fitted = asked.fitted(problem, turn)
            for number, (name, method) in enumerate(methods.items()):
                progress(f"{turn + 1} of {TURNS}: {name}", (turn + number / len(methods)) / TURNS)
                began = time.process_time()
                try:
                    found = method(problem, fitted, turn)
                except ModelsError as error:
                    silent[name] = str(error)
                    continue
                spent = time.process_time() - began
                cells.setdefault(name, []).append((_figure(asked, problem, found, metric), spent))
    return {name: {"silent": why} for name, why in silent.items()} | {
        name: {
            "mean": round(float(np.mean([figure for figure, _ in held])), 4),
            "sd": round(float(np.std([figure for figure, _ in held])), 4),
            "cpu_s": round(float(np.mean([spent for _, spent in held])), 2),
        }
        for name, held in cells.items()
    }


def _figure(asked: Study, problem: Problem, found: np.ndarray, metric: str) -> float:
    rows = units(problem.query, asked.question.decision_s)
    told = decide(found[:, : len(problem.spec.classes)], rows, problem.query.pooling)
    label = problem.query.label[np.array([one[0] for one in rows])]
    return problem.spec.metrics(told, label)[metric]


def with_support(rows: Sequence[Row] = ROWS) -> list[Row]:
    """Rows that the table has a column for."""
    return [row for row in rows if row.section == FEW]


def filled(text: str, results: Path) -> str:
    """The page with its table made anew.

    Raises:
        ValueError: the marks are not there.
    """
    if BEGIN not in text or END not in text:
        raise ValueError(f"the page lacks the marks {BEGIN!r} and {END!r}")
    head, rest = text.split(BEGIN, 1)
    _, tail = rest.split(END, 1)
    return f"{head}{BEGIN}\n\n{table(results)}\n{END}{tail}"


def table(results: Path) -> str:
    """A line a method, a column a row that was answered; the best of each column stands out."""
    held = [(row, _read(results / f"{PREFIX}{row.name}.json")) for row in with_support()]
    told = [(row, one["metric"], _figures(one["methods"])) for row, one in held if one is not None]
    if not told:
        return "Not answered yet.\n"
    names = sorted({name for *_, cells in told for name in cells}, key=lambda name: (name != "auto", name))
    best = [max(float(cell["mean"]) for cell in cells.values()) for *_, cells in told]
    lines = [
        "| method | CPU s | " + " | ".join(str(number) for number in range(1, len(told) + 1)) + " |",
        "|---" * (len(told) + 2) + "|",
    ]
    for name in names:
        shown = [_cell(cells.get(name), top) for (*_, cells), top in zip(told, best, strict=True)]
        spent = max(float(cells[name]["cpu_s"]) for *_, cells in told if name in cells)
        lines.append(f"| `{name}` | {spent:.1f} | {' | '.join(shown)} |")
    lines += [
        "",
        *(f"{number}. {row.title} ({metric})" for number, (row, metric, _) in enumerate(told, 1)),
        "",
        _behind([cells for *_, cells in told], adapter_names()),
        "",
    ]
    return "\n".join(lines)


def _figures(methods: Mapping[str, Any]) -> dict[str, Any]:
    """What answered; the others are silent."""
    return {name: one for name, one in methods.items() if "mean" in one}


def _behind(rows: Sequence[Mapping[str, Mapping[str, float]]], adapters: Sequence[str]) -> str:
    """How far `auto` stays behind the best of each row, of adapters alone and of all that stands there."""
    kinds = {"adapter": set(adapters), "line, controls included": {name for cells in rows for name in cells}}
    said = []
    for kind, those in kinds.items():
        gaps = [
            100
            * (
                max(float(cells[name]["mean"]) for name in (those & set(cells)) - {"auto"})
                - cells["auto"]["mean"]
            )
            for cells in rows
            if "auto" in cells
        ]
        said.append(f"the best {kind}, by {np.mean(gaps):.1f} points on average and {max(gaps):.1f} at most")
    return f"Behind the best of each column, which nobody knows beforehand, `auto` stays: {'; '.join(said)}."


def _cell(cell: Mapping[str, float] | None, best: float) -> str:
    if cell is None:
        return "-"
    figure = f"{cell['mean']:.3f}"
    return f"**{figure}**" if cell["mean"] >= best else figure


def _read(path: Path) -> Mapping[str, Any] | None:
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None
