"""Data sets by layout: lazy names, plus the entry-point group ``roomtone.datasets`` for third parties.

A data set is one module (see CONTRIBUTING, "Add a data set") that satisfies `Dataset`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from pathlib import Path
from typing import Protocol, cast, runtime_checkable

import numpy as np
import numpy.typing as npt

from models.data.digest import digest
from models.data.samples import Samples
from models.errors import DatasetError

SIMULATION = "simulation"
"""The word that stands for no folder but simulated rooms; a folder of that name comes before it."""
_BUILT_IN = {
    "own": "models.data.own",
    "box": "models.data.box",
    "crowd": "models.data.crowd",
    "device_loc": "models.data.device_loc",
    "dfl": "models.data.dfl",
    "esp32_days": "models.data.esp32_days",
    "har": "models.data.har",
    "metric": "models.data.metric",
    SIMULATION: "models.data.simulated",
    "wical": "models.data.wical",
}
_GROUP = "roomtone.datasets"

Progress = Callable[[str, float], None]


def quiet(_what: str, _share: float) -> None:
    """Progress that nobody watches."""


@dataclass(frozen=True, slots=True)
class Caveat:
    """What makes a figure from a data set doubtful, in words; `void`: so much that it is no accuracy."""

    words: str
    void: bool = False


class Dataset(Protocol):
    """What every data set module offers; same names in each."""

    NAME: str
    LAYOUT: str
    """What a folder must hold, in one line."""
    LEARNERS: Mapping[str, str]
    """Task -> learner it is judged with unless another is asked for (`models.learners`); its tasks."""
    LEAVE_OUT: Sequence[str]
    """Which of person, position and day its rows can be grouped by."""

    def recognises(self, folder: Path) -> bool:
        """Whether this folder is laid out like that; a look at names, no reading of recordings."""
        ...

    def domains(self, folder: Path, task: str) -> Mapping[str, Sequence[Path]]:
        """Files by domain, for this task.

        Raises:
            DatasetError: the folder holds nothing for this task.
        """
        ...

    def site(self, domain: str) -> str:
        """Where a domain was recorded: classes of places mean the same within one site alone."""
        ...

    def load(
        self,
        folder: Path,
        task: str,
        wanted: Sequence[str],
        *,
        inputs: Sequence[str] = (),
        classes: Sequence[str] | None = None,
        progress: Progress = quiet,
    ) -> Samples:
        """All rows of these domains with at least these inputs; `classes` keeps only those named.

        Raises:
            DatasetError: a domain is unknown, a class is empty, or a recording cannot be read.
        """
        ...


@runtime_checkable
class Doubtful(Protocol):
    """A data set that knows what makes its own figures doubtful; most have nothing to say."""

    def caveats(self, task: str, source: Sequence[str], target: Sequence[str]) -> Sequence[Caveat]:
        """What to know before believing a figure from source to target (the same, with parts left out)."""
        ...


def caveats_of(one: Dataset, task: str, source: Sequence[str], target: Sequence[str]) -> Sequence[Caveat]:
    """What the data set says against figures between these domains."""
    return one.caveats(task, source, target or source) if isinstance(one, Doubtful) else ()


@runtime_checkable
class Lending(Protocol):
    """A data set of which not every row may be support."""

    def lends(self, samples: Samples) -> npt.NDArray[np.bool_]:
        """Whether a row may be ``[row]``."""
        ...


@runtime_checkable
class Simulated(Protocol):
    """A data set without files: it is made when it is asked for."""

    def digest(self, task: str, wanted: Sequence[str]) -> str:
        """What its rows follow from, as one number, said to be simulation."""
        ...


def digest_of(one: Dataset, folder: Path, task: str, wanted: Sequence[str]) -> str:
    """What the rows of these domains are made of, as one number: their files, or the simulator.

    Raises:
        DatasetError: a domain is not there.
    """
    if isinstance(one, Simulated):
        return one.digest(task, wanted)
    known = one.domains(folder, task)
    check_wanted(folder, known, wanted)
    return digest(path for name in wanted for path in known[name])


def dataset_of(folder: Path) -> Dataset:
    """The data set this folder is laid out like.

    Raises:
        DatasetError: it does not exist, or looks like none that is known.
    """
    if not folder.is_dir():
        if folder == Path(SIMULATION):
            return _all()[SIMULATION]
        raise DatasetError(f"data set {folder} does not exist; `simulation` alone needs no folder")
    for one in _all().values():
        if one.recognises(folder):
            return one
    layouts = "\n".join(f"  {name}: {one.LAYOUT}" for name, one in _all().items())
    raise DatasetError(f"folder {folder} is laid out like none of the known data sets:\n{layouts}")


def _all() -> dict[str, Dataset]:
    found = {name: cast("Dataset", import_module(module)) for name, module in _BUILT_IN.items()}
    for point in entry_points(group=_GROUP):
        found.setdefault(point.name, cast("Dataset", point.load()))
    return found


def check_task(one: Dataset, folder: Path, task: str) -> None:
    """See that the data set has labels for this task.

    Raises:
        DatasetError: it has not.
    """
    if task not in one.LEARNERS:
        there = ", ".join(one.LEARNERS)
        raise DatasetError(f"data set {folder} ({one.NAME}) has no {task}, but {there}")


def check_wanted(folder: Path, known: Mapping[str, Sequence[Path]], wanted: Sequence[str]) -> None:
    """See that all these domains are there.

    Raises:
        DatasetError: one is not.
    """
    for name in wanted:
        if name not in known:
            raise DatasetError(f"unknown domain {name!r} in {folder}; there are {', '.join(known) or 'none'}")
