"""What a study is: a function that trains and judges in simulated rooms, once for a seed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

Metrics = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Answer:
    """What one seed gave.

    Attributes:
        metrics: of the learner, by name.
        baselines: the same metrics of simpler ways, by their name.
        longest: the fit of the learner, in processor seconds.
        facts: numbers of rooms, windows and the like, for whoever reads the file.
    """

    metrics: Metrics
    baselines: Mapping[str, Metrics]
    longest: Mapping[str, str | float]
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Study:
    """One question that `roomtone evaluate` does not know.

    Attributes:
        name: of its file in docs/results.
        title: what was asked, in a line.
        learner: name in `models.learners`.
        figures: seed -> answer; other seeds are other rooms and other weights.
    """

    name: str
    title: str
    learner: str
    figures: Callable[[int], Answer]

    def command(self) -> str:
        """The command that answers it."""
        return f"python -m models.figures --only {self.name}"
