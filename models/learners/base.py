"""What a learner is: labelled rows in, something that answers rows out; and methods that all share."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, ClassVar, Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from models import adapt
from models.data.samples import PLAIN, Samples
from models.errors import SelectionError
from models.learners import carry
from models.learners.opinion import POOLS, opinion
from models.training.adapting import carried
from models.training.automatic import automatic
from models.training.task import TaskSpec
from models.zoo import Output

Found = npt.NDArray[np.float64]
"""Probabilities ``[row, class]``; or in metres x, y and a radius that holds two thirds, ``[row, 3]``."""
_LEAST = 1e-3
"""Least probability that enters a logarithm."""
Inputs = Mapping[str, npt.NDArray[Any]]
Share = Callable[[float], None]


def unseen(_share: float) -> None:
    """Progress that nobody watches."""


class Fitted(Protocol):
    """What was learned."""

    def predict(self, inputs: Inputs) -> Found:
        """Answers to rows, one by one: a row's answer does not depend on the others."""
        ...


@runtime_checkable
class Adaptable(Protocol):
    """Something learned that can look at unlabelled rows of the target before it answers."""

    def adapted(self, inputs: Inputs) -> Fitted:
        """The same, carried over to where these rows are from."""
        ...


@dataclass(frozen=True, slots=True)
class Curve:
    """Loss by epoch, on what was trained on and on what was held out of it."""

    training: list[float] = field(default_factory=list)
    validation: list[float] = field(default_factory=list)


@runtime_checkable
class Exportable(Protocol):
    """Something learned that an ONNX file can hold and the worker run (docs/onnx-contract.md).

    Attributes:
        features: the one input it is fed, a name in `models.signal.inputs`.
        output: how its logits are meant.
        curve: how it was fitted; empty where there are no epochs.
    """

    features: str
    output: Output
    curve: Curve

    def logits(self, inputs: Inputs) -> Found:
        """What the exported file will answer to rows, ``[row, output]``, before any calibration."""
        ...

    def to_onnx(self, name: str) -> bytes:
        """The file; the same bytes for the same weights."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """What a method may look at: labelled source, labelled support if any, and the rows to judge.

    `unlabelled` are target rows whose inputs (never labels) may be used: the query with ``--transductive``,
    the support where there is one, else None. `bridge` are rows of further rooms; their labels stay unread.
    Where rows are of several sites, the classes of the target come first; `spec` names no others.
    `foreign`: no label of the source means anything in the target. `left_out`: rows of the target that are
    neither adapted on nor judged, since they are too near to the support.
    """

    source: Samples
    query: Samples
    support: Samples | None
    unlabelled: Samples | None
    spec: TaskSpec
    bridge: Samples | None = None
    foreign: bool = False
    left_out: int = 0


Method = Callable[[Problem, Any, int], Found]
"""Problem, what was learned on its source, seed -> answers to its query."""


class Learner:
    """One way to learn; a subclass says its names and how it fits.

    Attributes:
        NAME: as ``--learner`` calls it.
        TITLE: one line: what it is, and after which paper.
        TASKS: what it can be fitted for.
        INPUTS: names of the inputs it looks at (`models.signal.inputs`, or a data set's own).
        CARD: further fields of its models' cards, such as what they must not be used for.
        FEWEST: rows of a class that it needs.
        STANDING: whether it is for people who stand still; simulation makes such for it.
        TRAINED_ON: what a model that is there already was trained on; None where the data says so.
    """

    NAME: str
    TITLE: str
    TASKS: Sequence[str]
    INPUTS: Sequence[str]
    CARD: ClassVar[Mapping[str, Any]] = MappingProxyType({})
    STANDING: bool = False
    FEWEST: int = 1
    TRAINED_ON: str | None = None

    def fit(self, samples: Samples, seed: int, *, progress: Share = unseen) -> Any:  # noqa: ANN401 - Fitted
        """Learn from all of these rows; whatever is chosen on the way is chosen on them alone."""
        raise NotImplementedError

    def fit_as_usual(self, samples: Samples, seed: int) -> Any:  # noqa: ANN401 - Fitted
        """The same where nothing can be chosen by holding rows out: repeated rows, classes of other sites."""
        return self.fit(samples, seed)

    def methods(self) -> Mapping[str, Method]:
        """Ways to carry what was learned into the target, by name; `auto` is among them."""
        return {
            **self.adapters(),
            "auto": self._auto,
            "none": self._none,
            "adapted": self._adapted,
            "pooled": carry.pooled(self),
            "head_only": carry.head_only(self),
            "frozen_random": carry.frozen_random(self),
            "target_only": carry.target_only(self),
            **{name: opinion(self, name) for name in POOLS},
        }

    def adapters(self) -> Mapping[str, Method]:
        """All of `models.adapt`, on this learner's vectors."""
        return {name: carried(self, name) for name in adapt.names()}

    def vectors(self, fitted: Any, inputs: Inputs) -> Found:  # noqa: ANN401
        """Rows as adapters see them ``[row, feature]``; by default the plain features of the data set."""
        del fitted
        plain = np.asarray(inputs[PLAIN], np.float64)
        return plain.reshape(len(plain), -1)

    def frozen(self, fitted: Any, inputs: Inputs) -> Found:  # noqa: ANN401
        """What a head of the target looks at ``[row, feature]``: what the source says, as logits."""
        return np.log(np.maximum(np.asarray(fitted.predict(inputs), np.float64), _LEAST))

    def baselines(self, problem: Problem) -> Sequence[str]:
        """Which of its methods stand beside every figure as baselines."""
        found = [] if problem.foreign else ["none"]
        if problem.support is not None:
            classed = PLAIN in problem.query.inputs and bool(problem.spec.classes)
            found += ["head_only", "frozen_random"] if classed else []
            found += ["pooled", "target_only"]
        return found

    def _auto(self, problem: Problem, fitted: Any, seed: int) -> Found:  # noqa: ANN401
        if problem.support is not None and problem.spec.classes:
            return automatic(problem, self.methods(), fitted, seed)
        if problem.foreign:
            return carry.pooled(self)(problem, fitted, seed)
        if problem.unlabelled is not None and isinstance(fitted, Adaptable):
            return self._adapted(problem, fitted, seed)
        return self._none(problem, fitted, seed)

    def _none(self, problem: Problem, fitted: Fitted, seed: int) -> Found:
        """The source model as it is."""
        del seed
        check_native(problem)
        return fitted.predict(problem.query.inputs)

    def _adapted(self, problem: Problem, fitted: Any, seed: int) -> Found:  # noqa: ANN401
        """The source model after a look at unlabelled rows of the target, each of its domains by itself."""
        del seed
        if problem.unlabelled is None:
            raise SelectionError("method adapted needs --transductive or --support: rows of the target")
        check_native(problem)
        if not isinstance(fitted, Adaptable):
            raise SelectionError(f"learner {self.NAME} cannot use unlabelled rows; take --method none")
        query, seen = problem.query, problem.unlabelled
        answers: dict[str, Found] = {}
        for name in np.unique(query.domain):
            there = seen.domain == name
            carried = fitted.adapted((seen.take(there) if there.any() else seen).inputs)
            answers[name] = carried.predict(query.take(query.domain == name).inputs)
        found = np.zeros((len(query), next(iter(answers.values())).shape[1]))
        for name, answer in answers.items():
            found[query.domain == name] = answer
        return found


def check_native(problem: Problem) -> None:
    """Refuse to ask a source that knows no class of the target.

    Raises:
        SelectionError: it is of another site.
    """
    if problem.foreign:
        raise SelectionError(
            "the source is of another site and knows no place of the target's: take a method that learns "
            "from the support, such as pooled or target_only"
        )
