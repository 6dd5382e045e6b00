"""What training and evaluation need to know of a task: labels, features it looks at, metrics."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from models.data.samples import Samples
from models.errors import SelectionError
from models.signal.variation import NAMES
from models.task_names import names
from models.training.metrics import (
    Floats,
    class_metrics,
    counting_metrics,
    place_metrics,
    presence_metrics,
)

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
        """Class of every row."""
        return samples.label

    def metrics(self, found: Floats, labels: npt.NDArray[Any]) -> dict[str, float]:
        """The task's metrics (DESIGN A2) of class probabilities, or of places in metres."""
        if not self.classes:
            return place_metrics(found, labels)
        if self.name == "presence":
            return presence_metrics(found, labels)
        if self.name == "counting":
            return counting_metrics(found, labels)
        return class_metrics(found, labels)


def task_spec(name: str, classes: Sequence[str]) -> TaskSpec:
    """The task of that name with these classes; none where labels are metres.

    Tasks of other packages are judged by their classes, or in metres, as localization is.

    Raises:
        SelectionError: it is not one that can be trained.
    """
    if name not in names():
        raise SelectionError(f"no task named {name!r} can be trained; there are {', '.join(names())}")
    features = {"presence": _PRESENCE, "counting": _COUNTING}.get(name, NAMES)
    return TaskSpec(name, tuple(classes), features)
