"""What training and evaluation need to know of a task: labels, features it looks at, metrics."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from models.data.samples import Samples
from models.errors import SelectionError
from models.signal.variation import NAMES
from models.training.metrics import Floats, counting_metrics, presence_metrics

# How fast people move is a matter of the room and its people, not of their number.
_COUNTING = tuple(name for name in NAMES if not name.startswith(("rho_", "structure_")))
_PRESENCE = ("variance", "log_variance", "moved", "log_moved", "rho_1", "rho_2", "spread_1", "eigen_rank")


@dataclass(frozen=True, slots=True)
class TaskSpec:
    """A task as training sees it; `classes` are in rising order."""

    name: str
    classes: tuple[str, ...]
    features: tuple[str, ...]

    @property
    def columns(self) -> list[int]:
        """Places of its features in the vector of `models.signal.variation`."""
        return [NAMES.index(name) for name in self.features]

    def labels(self, samples: Samples) -> npt.NDArray[np.int64]:
        """Class of every window."""
        if self.name == "presence":
            return (samples.people > 0).astype(np.int64)
        return samples.people

    def metrics(self, probabilities: Floats, labels: npt.NDArray[np.int64]) -> dict[str, float]:
        """The task's metrics (DESIGN A2)."""
        if self.name == "presence":
            return presence_metrics(probabilities, labels)
        return counting_metrics(probabilities, labels)


def task_spec(name: str, most: int = 7) -> TaskSpec:
    """The task of that name, counting up to `most` people.

    Raises:
        SelectionError: it is not one that can be trained.
    """
    if name == "presence":
        return TaskSpec(name, ("vacant", "occupied"), _PRESENCE)
    if name == "counting":
        return TaskSpec(name, tuple(str(n) for n in range(most + 1)), _COUNTING)
    raise SelectionError(f"no task named {name!r} can be trained; there are presence and counting")
