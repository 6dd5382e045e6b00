"""Answer the questions that code or data have changed for, one after the other; what is done stays done."""

import hashlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch

from models.data.registry import dataset_of, digest_of
from models.errors import ModelsError
from models.figures.code import Code, modules_of
from models.figures.rows import SIMULATION, Row
from models.training.evaluate import evaluate
from models.training.problem import Question, selected
from models.training.support import parse_support

Progress = Callable[[str, float], None]


def question_of(row: Row, datasets: Path, seeds: int = 3) -> Question:
    """The question in the words of the row."""
    given = dict(pairs_of(row))
    decision = given.get("--decision")
    return Question(
        row.task,
        Path(SIMULATION) if row.data == SIMULATION else datasets / row.data,
        given["--source"],
        given.get("--target"),
        support=given.get("--support"),
        classes=tuple(given["--classes"].split(",")) if "--classes" in given else None,
        method=given.get("--method", "auto"),
        leave_out=given.get("--leave-out"),
        learner=given.get("--learner"),
        transductive="--transductive" in given,
        decision_s=float(decision.rstrip("s")) if decision else None,
        seeds=seeds,
    )


def pairs_of(row: Row) -> Iterator[tuple[str, str]]:
    """The words of the row, option and value; a switch has itself for a value."""
    ahead = iter(row.words)
    for option in ahead:
        yield option, option if option == "--transductive" else next(ahead)


def key_of(row: Row, datasets: Path, code: Code, seeds: int, *, method: str | None = None) -> str:
    """What the row's figure hangs on, or that of another method, as one number.

    Raises:
        DatasetError: the data set is not there.
    """
    question = question_of(row, datasets, seeds)
    told = method or question.method
    dataset = dataset_of(question.data)
    source, target = selected(question, dataset)
    lent = [] if question.support is None else [one.domain for one in parse_support(question.support)]
    names = list(dict.fromkeys([*(part.domain for part in (*source, *target)), *lent]))
    data = digest_of(dataset, question.data, question.task, names)
    asked = [f"{option} {value}" for option, value in pairs_of(row) if option != "--method"]
    words = [*asked, row.task, told, code(modules_of(question, told)), data, str(seeds)]
    words += _model(question.learner)
    return hashlib.sha256("\n".join(words).encode()).hexdigest()


def _model(learner: str | None) -> list[str]:
    """Digest of a model that is judged as it is (`models.learners.given`); nothing of what is trained."""
    kind, _, folder = (learner or "").partition(":")
    if kind != "onnx":
        return []
    return [hashlib.sha256((Path(folder) / "model.onnx").read_bytes()).hexdigest()]


def answer(row: Row, datasets: Path, results: Path, *, code: Code, seeds: int, progress: Progress) -> str:
    """Answer one question unless its answer is there already; what was done, in a word or two."""
    path = results / f"{row.name}.json"
    try:
        key = key_of(row, datasets, code, seeds)
        if holds(path, key):
            return "as it was"
        torch.set_num_threads(1)
        report = evaluate(question_of(row, datasets, seeds), progress)
    except ModelsError as error:
        return f"not answered: {error}"
    told: dict[str, Any] = {**report.document, "key": key, "data": row.data}
    staged = replace_suffix(path)
    staged.write_text(json.dumps(told, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    staged.replace(path)
    return f"answered in {told['seconds']:g} s"


def holds(path: Path, key: str) -> bool:
    """Whether the answer in this file is one of the code and data that the key is of."""
    return path.is_file() and json.loads(path.read_text(encoding="utf-8")).get("key") == key


def replace_suffix(path: Path) -> Path:
    """Where a file is written before it takes its name."""
    return path.with_suffix(".new")
