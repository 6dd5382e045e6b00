"""From what was asked to the rows it is about: data set, learner, parts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from models.data.registry import Caveat, Dataset, Simulated, caveats_of, check_task, dataset_of, digest_of
from models.data.samples import Samples
from models.errors import SelectionError
from models.learners import Learner, learner
from models.learners.base import Problem
from models.training.folds import Cut
from models.training.ranges import expanded
from models.training.selection import Part, parse_selection, pick
from models.training.stopwatch import Stopwatch
from models.training.support import parse_support

Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Question:
    """What `roomtone evaluate` was asked, as on its command line."""

    task: str
    data: Path
    source: str
    target: str | None = None
    support: str | None = None
    classes: tuple[str, ...] | None = None
    method: str = "auto"
    transductive: bool = False
    decision_s: float | None = None
    seeds: int = 3
    leave_out: str | None = None
    learner: str | None = None
    bridge: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """A question with its data: all rows, who learns, what they are made of, and doubts about them."""

    question: Question
    dataset: Dataset
    learner: Learner
    samples: Samples
    source: Sequence[Part]
    target: Sequence[Part]
    digest: str
    caveats: Sequence[Caveat] = ()
    bridge: Samples | None = None
    watch: Stopwatch = field(default_factory=Stopwatch)
    _last: dict[str, Any] = field(default_factory=dict)

    @property
    def simulated(self) -> bool:
        """Whether all of it was made by the simulator."""
        return isinstance(self.dataset, Simulated)

    @property
    def trained_on(self) -> str:
        """The data set, ``simulation``, or what the card of a model that is there already says."""
        data = self.dataset.NAME if self.simulated else self.question.data.resolve().name
        return self.learner.TRAINED_ON or data

    @property
    def draws(self) -> Sequence[int | None]:
        """Seeds of the draws of the support that are averaged; None is the first rows of each class."""
        return self._cut().draws

    def folds(self, seed: int, draw: int | None = None) -> list[Problem]:
        """What to learn from and what to judge; more than one where groups are left out in turn.

        Raises:
            SelectionError: nothing is left to learn from, to adapt on or to judge.
        """
        left_out = self.question.leave_out
        return [self._cut().across(draw)] if left_out is None else self._cut().left_out(left_out, seed)

    def fitted(self, problem: Problem, seed: int) -> Any:  # noqa: ANN401 - whatever the learner fits
        """What the learner makes of the source; asked twice in a row for the same, it is fitted once."""
        source, who = problem.source, self.learner
        key = (seed, source.domain.tobytes(), source.start_s.tobytes(), source.label.tobytes())
        if self._last.get("key") != key:
            with self.watch.step(f"fit of {who.NAME}"):
                model = (who.fit_as_usual if problem.foreign else who.fit)(source, seed)
            self._last.update(key=key, model=model)
        return self._last["model"]

    def _cut(self) -> Cut:
        question = self.question
        supports = [] if question.support is None else parse_support(question.support)
        return Cut(
            self.dataset,
            self.samples,
            self.source,
            self.target,
            supports,
            question.transductive,
            self.bridge,
        )


def study(question: Question, progress: Progress) -> Study:
    """Read what the question is about.

    Raises:
        DatasetError: the data set, a domain or a class is not there.
        SelectionError: the options contradict each other.
    """
    _check(question)
    dataset = dataset_of(question.data)
    check_task(dataset, question.data, question.task)
    who = learner(question.learner or dataset.LEARNERS[question.task])
    if question.task not in who.TASKS:
        raise SelectionError(f"learner {who.NAME} learns {', '.join(who.TASKS)}, not {question.task}")
    if question.method not in who.methods():
        there = ", ".join(who.methods())
        raise SelectionError(f"no method {question.method!r} with learner {who.NAME}; there are {there}")
    source, target = selected(question, dataset)
    lent = [] if question.support is None else [one.domain for one in parse_support(question.support)]
    names = list(dict.fromkeys([*(part.domain for part in (*source, *target)), *lent]))
    samples = dataset.load(
        question.data, question.task, names, inputs=who.INPUTS, classes=question.classes, progress=progress
    )
    between = _bridge(question, dataset, who, names)
    more = [] if between is None else sorted(set(between.domain.tolist()))
    made_of = digest_of(dataset, question.data, question.task, [*names, *more])
    caveats = caveats_of(
        dataset, question.task, [part.domain for part in source], [part.domain for part in target]
    )
    return Study(question, dataset, who, samples, source, target, made_of, caveats, between)


def _bridge(question: Question, dataset: Dataset, who: Learner, taken: Sequence[str]) -> Samples | None:
    """Rows of further rooms, whose labels nobody looks at; None where none are named.

    Raises:
        DatasetError: a domain is not there.
        SelectionError: one of them is learned from or judged already.
    """
    if question.bridge is None:
        return None
    order = list(dataset.domains(question.data, question.task))
    parts = expanded(parse_selection(question.bridge), order, str(question.data))
    names = list(dict.fromkeys(part.domain for part in parts))
    if both := sorted(set(names) & set(taken)):
        raise SelectionError(
            f"--bridge names {', '.join(both)}, which --source, --target or --support names already"
        )
    return pick(dataset.load(question.data, question.task, names, inputs=who.INPUTS), parts)


def selected(question: Question, dataset: Dataset) -> tuple[list[Part], list[Part]]:
    """Parts to learn from and parts to judge, none where groups are left out in turn.

    Raises:
        DatasetError: the data set holds nothing for this task.
        SelectionError: they do not read as such, or a range names a domain that is not there.
    """
    order, where = list(dataset.domains(question.data, question.task)), str(question.data)
    source = expanded(parse_selection(question.source), order, where)
    target = parse_selection(question.target) if question.target else []
    return source, expanded(target, order, where)


def _check(question: Question) -> None:
    if question.seeds < 1:
        raise SelectionError(f"seeds must be at least 1, got {question.seeds}")
    if (question.target is None) == (question.leave_out is None):
        raise SelectionError("give either --target (domains to judge on) or --leave-out with --source alone")
    if question.leave_out is not None and question.support is not None:
        raise SelectionError("--leave-out judges every group of the source; it takes no --support")
